package main

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"text/template"
	"time"
	_ "unsafe" // for linkname

	"github.com/Masterminds/sprig/v3"
	"github.com/hashicorp/consul-template/config"
	dep "github.com/hashicorp/consul-template/dependency"
	ct "github.com/hashicorp/consul-template/template"
	"github.com/hashicorp/vault/api"
)

// What consul-template gives to templates is not exported. These names and this struct are those of the version in go.mod.

type funcMapInput struct {
	newTmpl          *template.Template
	brain            *ct.Brain
	env              []string
	extFuncMap       map[string]interface{}
	functionDenylist []string
	sandboxPath      string
	destination      string
	used             *dep.Set
	missing          *dep.Set
	config           *config.Config
}

//go:linkname funcMap github.com/hashicorp/consul-template/template.funcMap
func funcMap(i *funcMapInput) template.FuncMap

//go:linkname executeTemplateFunc github.com/hashicorp/consul-template/template.executeTemplateFunc
func executeTemplateFunc(t *template.Template) func(string, ...interface{}) (string, error)

//go:linkname transformSecret github.com/hashicorp/consul-template/dependency.transformSecret
func transformSecret(theirs *api.Secret) *dep.Secret

//go:linkname clock github.com/hashicorp/consul-template/template.now
var clock func() time.Time

func setNow(text string) error {
	if text == "" {
		text = "2024-01-02T03:04:05Z"
	}
	now, err := time.Parse(time.RFC3339Nano, text)
	clock = func() time.Time { return now.UTC() }
	return err
}

// The offline store of `ampule render --secrets`: replies by path, names of lists by path.
var store struct {
	Reads map[string]json.RawMessage `json:"reads"`
	Lists map[string][]string        `json:"lists"`
}

func loadStore(text json.RawMessage) error {
	store.Reads, store.Lists = nil, nil
	return json.Unmarshal(text, &store)
}

// stored finds a path, also without its parameters.
func stored[T any](table map[string]T, path string) (T, bool) {
	path = strings.Trim(strings.TrimSpace(path), "/")
	found, ok := table[path]
	if bare, _, has := strings.Cut(path, "?"); !ok && has {
		found, ok = table[bare]
	}
	return found, ok
}

func storedSecret(path string) *dep.Secret {
	text, ok := stored(store.Reads, path)
	if !ok || string(text) == "null" {
		return nil
	}
	secret, err := api.ParseSecret(strings.NewReader(string(text)))
	if err != nil || secret == nil {
		return nil
	}
	return transformSecret(secret)
}

func pairs(args []string) map[string]interface{} {
	data := map[string]interface{}{}
	for _, arg := range args {
		if k, v, ok := strings.Cut(arg, "="); ok {
			data[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return data
}

// Making a table takes longer than most templates, so it is made once, and what belongs to one template is found here.
var (
	table   = functions(nil)
	running *template.Template
	brain   *ct.Brain
	scratch *ct.Scratch
)

// newTemplate is an empty one that knows all functions.
func newTemplate(env []string) *template.Template {
	fresh := table
	if env != nil {
		fresh = functions(env)
	}
	*brain, scratch = *ct.NewBrain(), &ct.Scratch{}
	running = template.New("").Funcs(fresh)
	return running
}

// functions is the original's table; before a function asks the brain, the brain learns what the store has.
func functions(env []string) template.FuncMap {
	if brain == nil {
		brain = ct.NewBrain()
	}
	table := funcMap(&funcMapInput{brain: brain, env: env, used: &dep.Set{}, missing: &dep.Set{}, functionDenylist: []string{"plugin"}})
	secret := table["secret"].(func(...string) (interface{}, error))
	secrets := table["secrets"].(func(string) ([]string, error))
	pki := table["pkiCert"].(func(...string) (interface{}, error))
	file := table["file"].(func(string) (string, error))
	table["scratch"] = func() *ct.Scratch { return scratch }
	table["executeTemplate"] = func(name string, data ...interface{}) (string, error) {
		return executeTemplateFunc(running)(name, data...)
	}
	table["secret"] = func(s ...string) (interface{}, error) {
		if len(s) > 0 {
			if found := storedSecret(s[0]); found != nil && len(s) == 1 {
				if d, err := dep.NewVaultReadQuery(s[0]); err == nil {
					brain.Remember(d, found)
				}
			} else if found != nil {
				if d, err := dep.NewVaultWriteQuery(s[0], pairs(s[1:])); err == nil {
					brain.Remember(d, found)
				}
			}
		}
		return secret(s...)
	}
	table["secrets"] = func(s string) ([]string, error) {
		if found, ok := stored(store.Lists, s); ok {
			if d, err := dep.NewVaultListQuery(s); err == nil {
				brain.Remember(d, found)
			}
		}
		return secrets(s)
	}
	table["pkiCert"] = func(s ...string) (interface{}, error) {
		if len(s) > 0 {
			if found := storedSecret(s[0]); found != nil {
				if d, err := dep.NewVaultPKIQuery(s[0], "", pairs(s[1:])); err == nil {
					brain.Remember(d, certificate(found.Data))
				}
			}
		}
		return pki(s...)
	}
	table["file"] = func(s string) (string, error) {
		if content, err := os.ReadFile(strings.TrimSpace(s)); err == nil {
			if d, err := dep.NewFileQuery(s); err == nil {
				brain.Remember(d, string(content))
			}
		}
		return file(s)
	}
	addOlder(table)
	return table
}

// addOlder adds the functions of sprig that older versions gave to templates, and newer ones leave out since they do not depend on their
// arguments alone. The clock and the environment are the row's; nothing is asked of the network.
func addOlder(table template.FuncMap) {
	all := sprig.TxtFuncMap()
	for _, name := range strings.Fields("date date_in_zone dateInZone date_modify dateModify htmlDate htmlDateInZone randAlpha randAlphaNum randAscii randBytes randNumeric uuidv4") {
		table["sprig_"+name] = all[name]
	}
	env := table["env"].(func(string) (string, error))
	table["sprig_now"] = func() time.Time { return clock() }
	table["sprig_env"] = env
	table["sprig_expandenv"] = func(text string) string {
		return os.Expand(text, func(name string) string {
			value, _ := env(name)
			return value
		})
	}
	table["sprig_getHostByName"] = func(host string) string {
		if host == "localhost" {
			return "127.0.0.1"
		}
		if net.ParseIP(host) != nil {
			return host
		}
		return ""
	}
}

func certificate(data map[string]interface{}) dep.PemEncoded {
	text := func(key string) string { s, _ := data[key].(string); return s }
	pem := dep.PemEncoded{Cert: text("certificate"), Key: text("private_key"), CA: text("issuing_ca")}
	chain, _ := data["ca_chain"].([]interface{})
	for _, link := range chain {
		s, _ := link.(string)
		pem.CAChain = append(pem.CAChain, s)
	}
	return pem
}
