// vault-k8s answers what the original injector answers to an admission review: its published packages behind a pipe.
//
// Lines of JSON come in on standard input, one answer a line goes out, in the same order:
//
//	{"env": {"AGENT_INJECT_…": VALUE}, "review": …}   or  "body": "text" in place of the review
//	{"status": 200, "body": "…"}                       or  {"status": 0, "body": why the original would drop the connection}
//
// It is the protocol of tests/vectors/injector/answers.c. Settings are those of the original's flags and environment; an empty variable is unset.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"reflect"
	"strconv"

	"github.com/hashicorp/go-hclog"
	inject "github.com/hashicorp/vault-k8s/agent-inject"
)

type row struct {
	Env    map[string]string `json:"env"`
	Review json.RawMessage   `json:"review"`
	Body   *string           `json:"body"`
}

type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// settings: the variable, the handler's field, and what the flag is when nobody gives it.
var settings = []struct{ env, field, initial string }{
	{"VAULT_ADDR", "VaultAddress", ""},
	{"VAULT_CACERT_BYTES", "VaultCACertBytes", ""},
	{"VAULT_AUTH_TYPE", "VaultAuthType", "kubernetes"},
	{"VAULT_AUTH_PATH", "VaultAuthPath", "auth/kubernetes"},
	{"VAULT_NAMESPACE", "VaultNamespace", ""},
	{"PROXY_ADDR", "ProxyAddress", ""},
	{"VAULT_IMAGE", "ImageVault", "hashicorp/vault:2.0.4"},
	{"REVOKE_ON_SHUTDOWN", "RevokeOnShutdown", "false"},
	{"RUN_AS_USER", "UserID", "100"},
	{"RUN_AS_GROUP", "GroupID", "1000"},
	{"RUN_AS_SAME_USER", "SameID", "false"},
	{"SET_SECURITY_CONTEXT", "SetSecurityContext", "true"},
	{"DEFAULT_TEMPLATE", "DefaultTemplate", "map"},
	{"CPU_REQUEST", "ResourceRequestCPU", "250m"},
	{"MEM_REQUEST", "ResourceRequestMem", "64Mi"},
	{"EPHEMERAL_REQUEST", "ResourceRequestEphemeral", ""},
	{"CPU_LIMIT", "ResourceLimitCPU", "500m"},
	{"MEM_LIMIT", "ResourceLimitMem", "128Mi"},
	{"EPHEMERAL_LIMIT", "ResourceLimitEphemeral", ""},
	{"TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE", "ExitOnRetryFailure", "true"},
	{"TEMPLATE_STATIC_SECRET_RENDER_INTERVAL", "StaticSecretRenderInterval", ""},
	{"TEMPLATE_MAX_CONNECTIONS_PER_HOST", "MaxConnectionsPerHost", "0"},
	{"AUTH_MIN_BACKOFF", "AuthMinBackoff", ""},
	{"AUTH_MAX_BACKOFF", "AuthMaxBackoff", ""},
	{"DISABLE_IDLE_CONNECTIONS", "DisableIdleConnections", ""},
	{"DISABLE_KEEP_ALIVES", "DisableKeepAlives", ""},
}

func set(field reflect.Value, text string) (err error) {
	switch field.Kind() {
	case reflect.Bool:
		var value bool
		value, err = strconv.ParseBool(text)
		field.SetBool(value)
	case reflect.Int64:
		var value int64
		value, err = strconv.ParseInt(text, 10, 64)
		field.SetInt(value)
	default:
		field.SetString(text)
	}
	return err
}

func handler(env map[string]string) *inject.Handler {
	h := &inject.Handler{RequireAnnotation: true, Log: hclog.NewNullLogger()}
	for _, s := range settings {
		text := env["AGENT_INJECT_"+s.env]
		if text == "" {
			text = s.initial
		}
		if err := set(reflect.ValueOf(h).Elem().FieldByName(s.field), text); err != nil {
			panic(fmt.Sprintf("AGENT_INJECT_%s: %v", s.env, err))
		}
	}
	return h
}

func ask(r row) (got answer) {
	defer func() {
		if why := recover(); why != nil {
			got = answer{0, fmt.Sprint(why)}
		}
	}()
	body := []byte(r.Review)
	if r.Body != nil {
		body = []byte(*r.Body)
	}
	request := httptest.NewRequest("POST", "/mutate", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	handler(r.Env).Handle(recorder, request)
	return answer{recorder.Code, recorder.Body.String()}
}

func main() {
	in, out := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20)), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for in.More() {
		var r row
		if err := in.Decode(&r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := lines.Encode(ask(r)); err != nil {
			os.Exit(1)
		}
	}
}
