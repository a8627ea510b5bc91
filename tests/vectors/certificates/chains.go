package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

const host = "vault.example"

var (
	early  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	late   = time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
	past   = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	serial int64
)

type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (e entity) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.cert.Raw}))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func p256() crypto.Signer                  { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }
func curve(c elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
func rsaKey(bits int) crypto.Signer        { return must(rsa.GenerateKey(rand.Reader, bits)) }

type change func(*x509.Certificate)

// A certificate, by nobody for one that signs itself.
func issue(name string, by *entity, key crypto.Signer, changes ...change) entity {
	serial++
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: early, NotAfter: late}
	for _, apply := range changes {
		apply(template)
	}
	if key == nil {
		key = p256()
	}
	parent := &entity{template, key}
	if by != nil {
		parent = by
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key))
	return entity{must(x509.ParseCertificate(der)), key}
}

func ca(t *x509.Certificate) {
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}
func notCA(t *x509.Certificate)   { t.BasicConstraintsValid = true }
func server(t *x509.Certificate)  { t.DNSNames = []string{host} }
func expired(t *x509.Certificate) { t.NotAfter = past }
func future(t *x509.Certificate)  { t.NotBefore = late.AddDate(-1, 0, 0) }
func usage(u x509.KeyUsage) change {
	return func(t *x509.Certificate) { t.KeyUsage = u }
}
func extended(u ...x509.ExtKeyUsage) change {
	return func(t *x509.Certificate) { t.ExtKeyUsage = u }
}
func dns(names ...string) change {
	return func(t *x509.Certificate) { t.DNSNames = names }
}
func ip(text string) change {
	return func(t *x509.Certificate) { t.IPAddresses = []net.IP{net.ParseIP(text)} }
}
func hash(a x509.SignatureAlgorithm) change {
	return func(t *x509.Certificate) { t.SignatureAlgorithm = a }
}
func extension(id asn1.ObjectIdentifier, critical bool, value []byte) change {
	return func(t *x509.Certificate) {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}
func keyID(id string) change {
	return func(t *x509.Certificate) { t.SubjectKeyId = []byte(id) }
}

var unknown = extension(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0})

// What it signs names no key of its issuer.
func silent(e entity) *entity {
	cert := *e.cert
	cert.SubjectKeyId = nil
	return &entity{&cert, e.key}
}

// What it signs names this key of its issuer.
func claiming(e entity, id string) *entity {
	cert := *e.cert
	cert.SubjectKeyId = []byte(id)
	return &entity{&cert, e.key}
}

func chains() (rows []chainRow) {
	add := func(name, host string, roots []entity, chain ...entity) *chainRow {
		row := chainRow{Name: name, Host: host}
		for _, e := range roots {
			row.Roots = append(row.Roots, e.pem())
		}
		for _, e := range chain {
			row.Chain = append(row.Chain, e.pem())
		}
		err := row.ask()
		row.OK = err == nil
		if err != nil {
			row.Error = err.Error()
		}
		rows = append(rows, row)
		return &rows[len(rows)-1]
	}
	trusts := func(e ...entity) []entity { return e }

	root := issue("Root", nil, nil, ca)
	middle := issue("Middle", &root, nil, ca)
	leaf := issue("leaf", &middle, nil, server)
	direct := issue("leaf", &root, nil, server)
	other := issue("Other", nil, nil, ca)

	add("by the root", host, trusts(root), direct)
	add("another name", "other.example", trusts(root), direct)
	add("by an unknown authority", host, trusts(other), direct)
	add("nobody is trusted", host, nil, direct)
	add("with its intermediate", host, trusts(root), leaf, middle)
	add("its intermediate is missing", host, trusts(root), leaf)
	add("its intermediate is trusted itself", host, trusts(middle), leaf)
	add("the root is sent too", host, trusts(root), leaf, middle, root)
	add("in another order", host, trusts(root), leaf, root, other, middle)
	add("the leaf is sent twice", host, trusts(root), leaf, leaf, middle)
	add("the leaf itself is trusted", host, trusts(leaf), leaf)
	add("the leaf itself is trusted, another name", "other.example", trusts(leaf), leaf)
	add("wildcard of one label", "vault.vault", trusts(root), issue("w", &root, nil, dns("*.vault")))
	add("wildcard of a headless service", "vault-0.vault-internal", trusts(root), issue("w", &root, nil, dns("*.vault-internal")))
	add("wildcard and two labels", "a.b.vault", trusts(root), issue("w", &root, nil, dns("*.vault")))
	add("common name only", host, trusts(root), issue(host, &root, nil))
	add("common name beside another name", host, trusts(root), issue(host, &root, nil, dns("other.example")))
	add("address", "10.0.0.1", trusts(root), issue("a", &root, nil, ip("10.0.0.1")))
	add("address in brackets", "[::1]", trusts(root), issue("a", &root, nil, ip("::1")))
	add("address as a DNS name", "10.0.0.1", trusts(root), issue("a", &root, nil, dns("10.0.0.1")))
	add("address as the common name", "10.0.0.1", trusts(root), issue("10.0.0.1", &root, nil))
	add("no subject", host, trusts(root), issue("", &root, nil, server))

	for _, kind := range []struct {
		name    string
		changes []change
	}{
		{"plain", []change{server}}, {"not a CA", []change{server, notCA}}, {"a CA", []change{server, ca}},
		{"a CA for servers", []change{server, ca, extended(x509.ExtKeyUsageServerAuth)}},
		{"for clients", []change{server, extended(x509.ExtKeyUsageClientAuth)}},
		{"expired", []change{server, expired}}, {"that may sign nothing", []change{server, usage(x509.KeyUsageDigitalSignature)}},
	} {
		self := issue("self", nil, nil, kind.changes...)
		add("signed by itself and trusted, "+kind.name, host, trusts(self), self)
		add("signed by itself and unknown, "+kind.name, host, trusts(root), self)
	}

	add("expired", host, trusts(root), issue("leaf", &root, nil, server, expired))
	add("not yet valid", host, trusts(root), issue("leaf", &root, nil, server, future))
	key := p256()
	old, young := issue("Middle", &root, key, ca, expired), issue("Middle", &root, key, ca)
	below := issue("leaf", &young, nil, server)
	add("its intermediate has expired", host, trusts(root), below, old)
	add("expired and renewed intermediate", host, trusts(root), below, old, young)
	add("renewed and expired intermediate", host, trusts(root), below, young, old)
	add("an expired intermediate, its successor is trusted", host, trusts(young), below, old)
	add("an expired intermediate, its successor is trusted beside the root", host, trusts(root, young), below, old)
	key = p256()
	oldRoot, newRoot := issue("Root", nil, key, ca, expired), issue("Root", nil, key, ca)
	below = issue("leaf", &newRoot, nil, server)
	add("the root has expired", host, trusts(oldRoot), below)
	add("the root has expired and was renewed", host, trusts(oldRoot, newRoot), below)
	add("the root was renewed and has expired", host, trusts(newRoot, oldRoot), below)
	add("an expired root is sent", host, trusts(newRoot), below, oldRoot)

	first, second := issue("Root", nil, nil, ca), issue("Root", nil, nil, ca)
	for _, by := range []struct {
		name string
		e    entity
	}{{"first", first}, {"second", second}} {
		add("two roots of one name, by the "+by.name, host, trusts(first, second), issue("leaf", &by.e, nil, server))
		add("two roots of one name, by the "+by.name+", which is not named", host, trusts(first, second), issue("leaf", silent(by.e), nil, server))
	}
	add("a root of the same name only", host, trusts(first), issue("leaf", &second, nil, server))
	add("a root of the same name only, which is not named", host, trusts(first), issue("leaf", silent(second), nil, server))

	cross := issue("Root", &other, first.key, ca)
	add("cross-signed, the new root is trusted", host, trusts(first), issue("leaf", &first, nil, server), cross)
	add("cross-signed, the old root is trusted", host, trusts(other), issue("leaf", &first, nil, server), cross)
	add("cross-signed by an expired root", host, trusts(issue("Other", nil, other.key, ca, expired), first), issue("leaf", &first, nil, server), cross)

	add("the root's key is named otherwise", host, trusts(root), issue("leaf", claiming(root, "another"), nil, server))
	add("the root was made again with its key and another identifier", host, trusts(issue("Root", nil, root.key, ca, keyID("new"))), direct)
	add("the root's serial number is another", host, trusts(root), issue("leaf", silent(root), nil, server,
		extension(asn1.ObjectIdentifier{2, 5, 29, 35}, false, authoritySerial(root.cert, 999999))))
	const namesake = "OpenSSL takes it for signed by itself; the message says so"
	same := issue("vault", nil, nil, ca)
	add("one name for authority and server", host, trusts(same), issue("vault", &same, nil, server)).Differs = namesake
	add("one name for authority and server, no key named", host, trusts(same), issue("vault", silent(same), nil, server)).Differs = namesake
	add("one name for authority and server, no key named, the authority sent", host, trusts(same), issue("vault", silent(same), nil, server), same).Differs = namesake

	for _, kind := range []struct {
		name    string
		changes []change
	}{
		{"without constraints", []change{usage(x509.KeyUsageCertSign)}}, {"that is no CA", []change{notCA}}, {"that says nothing", nil},
		{"that may not sign", []change{ca, usage(x509.KeyUsageDigitalSignature)}}, {"without key usage", []change{ca, usage(0)}},
		{"for clients", []change{ca, extended(x509.ExtKeyUsageClientAuth)}}, {"for servers", []change{ca, extended(x509.ExtKeyUsageServerAuth)}},
		{"for anything", []change{ca, extended(x509.ExtKeyUsageAny)}}, {"with an unknown critical extension", []change{ca, unknown}},
		{"with an unknown extension", []change{ca, extension(asn1.ObjectIdentifier{1, 2, 3, 4}, false, []byte{5, 0})}},
	} {
		authority := issue("Odd", nil, nil, kind.changes...)
		add("a root "+kind.name, host, trusts(authority), issue("leaf", &authority, nil, server))
		authority = issue("Odd", &root, nil, kind.changes...)
		add("an intermediate "+kind.name, host, trusts(root), issue("leaf", &authority, nil, server), authority)
		add("an intermediate "+kind.name+", trusted", host, trusts(authority), issue("leaf", &authority, nil, server))
	}
	for _, kind := range []struct {
		name    string
		changes []change
	}{
		{"for clients", []change{extended(x509.ExtKeyUsageClientAuth)}}, {"for servers", []change{extended(x509.ExtKeyUsageServerAuth)}},
		{"for both", []change{extended(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)}}, {"for anything", []change{extended(x509.ExtKeyUsageAny)}},
		{"for code", []change{extended(x509.ExtKeyUsageCodeSigning)}}, {"that may only sign certificates", []change{usage(x509.KeyUsageCertSign)}},
		{"that may only encipher data", []change{usage(x509.KeyUsageDataEncipherment)}}, {"that is a CA", []change{ca}},
		{"with an unknown critical extension", []change{unknown}},
	} {
		add("a server "+kind.name, host, trusts(root), issue("leaf", &root, nil, append([]change{server}, kind.changes...)...))
	}

	short := issue("Short", nil, nil, ca, func(t *x509.Certificate) { t.MaxPathLenZero = true })
	under := issue("Under", &short, nil, ca)
	add("a path of no intermediates", host, trusts(short), issue("leaf", &short, nil, server))
	add("a path that is too long", host, trusts(short), issue("leaf", &under, nil, server), under)

	limited := func(changes change) entity {
		return issue("Limited", nil, nil, ca, changes)
	}
	permitted := limited(func(t *x509.Certificate) {
		t.PermittedDNSDomains, t.PermittedDNSDomainsCritical = []string{"example"}, true
	})
	excluded := limited(func(t *x509.Certificate) { t.ExcludedDNSDomains = []string{"example"} })
	_, network, _ := net.ParseCIDR("10.0.0.0/8")
	inside := limited(func(t *x509.Certificate) { t.PermittedIPRanges = []*net.IPNet{network} })
	add("a name that is permitted", host, trusts(permitted), issue("leaf", &permitted, nil, server))
	add("a name that is not permitted", "vault.test", trusts(permitted), issue("leaf", &permitted, nil, dns("vault.test")))
	add("one of two names that is not permitted", host, trusts(permitted), issue("leaf", &permitted, nil, dns(host, "vault.test")))
	add("a common name that is not permitted", host, trusts(permitted), issue("vault.test", &permitted, nil, server))
	add("a name that is excluded", host, trusts(excluded), issue("leaf", &excluded, nil, server))
	add("a wildcard that is permitted", host, trusts(permitted), issue("leaf", &permitted, nil, dns("*.example")))
	add("an address that is permitted", "10.1.2.3", trusts(inside), issue("leaf", &inside, nil, ip("10.1.2.3")))
	add("an address that is not permitted", "11.1.2.3", trusts(inside), issue("leaf", &inside, nil, ip("11.1.2.3")))
	add("a name where addresses are limited", host, trusts(inside), issue("leaf", &inside, nil, server))

	rsa2048, rsa1024 := issue("RSA", nil, rsaKey(2048), ca), issue("RSA", nil, rsaKey(1024), ca)
	const weak = "112 bits of strength are asked for: RSA-2048"
	add("RSA-2048", host, trusts(rsa2048), issue("leaf", &rsa2048, rsaKey(2048), server))
	add("RSA-PSS", host, trusts(rsa2048), issue("leaf", &rsa2048, nil, server, hash(x509.SHA256WithRSAPSS)))
	add("a server's RSA-1024", host, trusts(rsa2048), issue("leaf", &rsa2048, rsaKey(1024), server)).Differs = weak
	add("an authority's RSA-1024", host, trusts(rsa1024), issue("leaf", &rsa1024, nil, server)).Differs = weak
	add("SHA-1", host, trusts(rsa2048), issue("leaf", &rsa2048, nil, server, hash(x509.SHA1WithRSA)))
	sha1Root := issue("Sha", nil, rsaKey(2048), ca, hash(x509.SHA1WithRSA))
	add("SHA-1 of a trusted root", host, trusts(sha1Root), issue("leaf", &sha1Root, nil, server, hash(x509.SHA256WithRSA)))
	sha1Middle := issue("Sha", &rsa2048, nil, ca, hash(x509.SHA1WithRSA))
	add("SHA-1 of an intermediate", host, trusts(rsa2048), issue("leaf", &sha1Middle, nil, server), sha1Middle)
	add("SHA-512", host, trusts(rsa2048), issue("leaf", &rsa2048, nil, server, hash(x509.SHA512WithRSA)))
	add("P-224", host, trusts(root), issue("leaf", &root, curve(elliptic.P224()), server))
	add("P-384", host, trusts(root), issue("leaf", &root, curve(elliptic.P384()), server))
	add("P-521", host, trusts(root), issue("leaf", &root, curve(elliptic.P521()), server))
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	edRoot := issue("Ed", nil, edKey, ca)
	add("Ed25519", host, trusts(edRoot), issue("leaf", &edRoot, nil, server))
	return rows
}

// AuthorityKeyIdentifier by the issuer's name and serial number alone.
func authoritySerial(issuer *x509.Certificate, number int64) []byte {
	name := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: issuer.RawSubject}
	names := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: must(asn1.Marshal(name))}
	serial := must(asn1.MarshalWithParams(big.NewInt(number), "tag:2"))
	return must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true,
		Bytes: append(must(asn1.Marshal(names)), serial...)}))
}
