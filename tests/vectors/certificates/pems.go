package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// A client's certificate and key as files hold them, changed in one place. Blocks is what encoding/pem finds in the certificates and the key
// one behind the other, Pool what a pool of authorities takes of the certificates, Pair whether crypto/tls takes both for a client.
type pemRow struct {
	Name   string `json:"name"`
	Cert   string `json:"cert"`
	Key    string `json:"key"`
	Blocks string `json:"blocks"`
	Pool   bool   `json:"pool"`
	Pair   bool   `json:"pair"`
	// why Ampule decides otherwise on purpose
	Differs string `json:"differs,omitempty"`
}

const noPoint = "the public half inside of the key is no point of its curve: OpenSSL reads it, Go does not"

var differs = map[string]string{"key: second line twice": noPoint, "key: \"AAAA\" before last line": noPoint, "key: \"text\" before last line": noPoint}

func blocksOf(text string) string {
	found, rest := []string{}, []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return strings.Join(found, ",")
		}
		headers := ""
		if len(block.Headers) > 0 {
			headers = "+"
		}
		found = append(found, fmt.Sprintf("%s%s:%d", block.Type, headers, len(block.Bytes)))
	}
}

func (row pemRow) ask() pemRow {
	_, err := tls.X509KeyPair([]byte(row.Cert), []byte(row.Key))
	row.Blocks, row.Pair = blocksOf(row.Cert+row.Key), err == nil
	row.Pool = x509.NewCertPool().AppendCertsFromPEM([]byte(row.Cert))
	return row
}

/* ------------------------------------------------------------------------------------------------------ what is changed */

type identity struct{ cert, other, one, eight, curve, ed, edCert, rsa, rsaEight, rsaCert, under, locked string }

func encode(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func certFor(name string, public, private any) string {
	spec := x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter: time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, &spec, &spec, public, private)
	if err != nil {
		panic(err)
	}
	return encode("CERTIFICATE", der)
}

// PKCS#8 under a pass phrase ("ampule"), made by OpenSSL: Go cannot make one.
const locked = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg0mWDkc1cyrAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIFxzyhRwZKtIqBmtmTIG9oEgZAW
RDQ60jo+LVVNKWbDUDW+xYSnaJeUi1qURm+UGKirjAiYHMzNfu/vOuIvPVqURIjr
Fa1k6VC2OxYjSmtiUZUrwrq9tjOiV7FprmZfGErfx3v1u09mHtUfu3bX7MZ5+Wva
554k+mYLQ1gPRNCICH3NxR3tuHMo63s+P7YZgnJIrv6fZ00AQyiD5NVstQL8fs4=
-----END ENCRYPTED PRIVATE KEY-----
`

func newIdentity() (made identity) {
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	edPublic, ed, _ := ed25519.GenerateKey(rand.Reader)
	one, _ := rsa.GenerateKey(rand.Reader, 2048)
	eight := func(key any) string {
		der, _ := x509.MarshalPKCS8PrivateKey(key)
		return encode("PRIVATE KEY", der)
	}
	made.cert, made.other = certFor("client", &curve.PublicKey, curve), certFor("other", &other.PublicKey, other)
	made.edCert, made.rsaCert = certFor("ed", edPublic, ed), certFor("rsa", &one.PublicKey, one)
	der, _ := x509.MarshalECPrivateKey(curve)
	made.curve, made.eight, made.ed = encode("EC PRIVATE KEY", der), eight(curve), eight(ed)
	made.rsa, made.rsaEight = encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(one)), eight(one)
	//lint:ignore SA1019 what files still hold
	under, _ := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", der, []byte("ampule"), x509.PEMCipherAES256)
	made.under, made.locked = string(pem.EncodeToMemory(under)), locked
	return made
}

func bodyOf(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	return block.Bytes
}

func labelOf(text string) string {
	block, _ := pem.Decode([]byte(text))
	return block.Type
}

/* ------------------------------------------------------------------------------------------------------- one text's ways */

var endings = []string{"", "\n", "\r", "\r\n", "\n\n", " ", " \n", "\t\n", " \r\n", "\r \n", "\r\r\n", "x", "x\n", " x\n", "-\n", "\v\n", "\x00\n", "#", ": \n", ":\n\n", "\xc2\xa0\n"}

func joined(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func replaceLine(lines []string, at int, with ...string) string {
	all := append(append([]string{}, lines[:at]...), with...)
	return joined(append(all, lines[at+1:]...))
}

func lineWays(text string, add func(name, text string)) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	last, body := len(lines)-1, lines[1]
	for at, where := range map[int]string{0: "BEGIN", 1: "first line", 2: "second line", last - 1: "last line", last: "END"} {
		for _, more := range []string{"", " ", "\t", "\r", "#", "A: b", ":", "Proc-Type: 4,ENCRYPTED", "-----BEGIN CERTIFICATE-----", "-----BEGIN ", " -----BEGIN X-----",
			"-----END CERTIFICATE-----", "-----END X-----", "-----END ", "-----END -----BEGIN X-----", "AAAA", "AAA", "A", "=", "====", "AA==", "text"} {
			add(fmt.Sprintf("%q before %s", more, where), replaceLine(lines, at, more, lines[at]))
		}
		for _, more := range []string{" ", "\t", "\r", "\v", "x", "-", "-----", ":", " -----BEGIN X-----", "\x00", "=", "==", "A", "\xff"} {
			add(fmt.Sprintf("%q behind %s", more, where), replaceLine(lines, at, lines[at]+more))
			add(fmt.Sprintf("%q in front of %s", more, where), replaceLine(lines, at, more+lines[at]))
		}
		add("without "+where, replaceLine(lines, at))
		add(where+" twice", replaceLine(lines, at, lines[at], lines[at]))
	}
	for _, changed := range []string{body[1:], body[:63], body[4:], "-" + body[1:], "_" + body[1:], "=" + body[1:], "!" + body[1:], body[:32] + " " + body[32:],
		body[:32] + "\n" + body[32:], body[:30] + "\n\n" + body[30:], body[:32] + ":" + body[32:], body[:32] + "\r" + body[32:], body[:63] + "=", "B" + body[1:]} {
		add(fmt.Sprintf("first line %q", changed), replaceLine(lines, 1, changed))
	}
	add("first two lines changed about", replaceLine(lines, 1, lines[2], lines[1])+"")
	add("headers and a blank line", replaceLine(lines, 0, lines[0], "A: b", "C: d", ""))
	add("headers and blanks", replaceLine(lines, 0, lines[0], "A: b", " ", ""))
	add("headers, one broken over two lines", replaceLine(lines, 0, lines[0], "A: b", "  c", ""))
	add("headers only", joined([]string{lines[0], "A: b", lines[last]}))
	add("headers and a blank line only", joined([]string{lines[0], "A: b", "", lines[last]}))
	add("headers to the end", joined([]string{lines[0], "A: b", lines[last] + ":"}))
	add("headers to the end and another block", joined([]string{lines[0], "A: b", lines[last] + ":"})+text)
	add("headers beyond the end and another block", joined([]string{lines[0], "A: b", lines[last] + ":", "x"})+text)
	add("headers up to the end and another block", joined([]string{lines[0], "A: b", lines[last]})+text)
	add("nothing", joined([]string{lines[0], lines[last]}))
	add("a blank line", joined([]string{lines[0], "", lines[last]}))
	add("all in one line", lines[0]+strings.Join(lines[1:last], "")+lines[last]+"\n")
	add("body in one line", joined([]string{lines[0], strings.Join(lines[1:last], ""), lines[last]}))
	add("END behind the body", joined(append(append([]string{}, lines[:last-1]...), lines[last-1]+lines[last])))
	add("CR only", strings.ReplaceAll(text, "\n", "\r"))
	add("CR LF", strings.ReplaceAll(text, "\n", "\r\n"))
	add("CR CR LF", strings.ReplaceAll(text, "\n", "\r\r\n"))
	add("blank lines everywhere", strings.ReplaceAll(text, "\n", "\n\n"))
	add("indented", "  "+strings.ReplaceAll(text, "\n", "\n  "))
	add("indented by YAML's block", strings.ReplaceAll(text, "\n", "\n    "))
	add("\\n for its ends", strings.ReplaceAll(text, "\n", "\\n"))
	add("quoted", `"`+text+`"`)
	add("a BOM", "\xef\xbb\xbf"+text)
}

func textWays(text, other string, add func(name, text string)) {
	label, body := labelOf(text), bodyOf(text)
	add("as it is", text)
	add("empty", "")
	for _, end := range endings {
		add(fmt.Sprintf("%q at its end", end), strings.TrimSuffix(text, "\n")+end)
		add(fmt.Sprintf("%q at its end, and another", end), strings.TrimSuffix(text, "\n")+end+other)
		add(fmt.Sprintf("%q before it", end), end+text)
		add(fmt.Sprintf("%q behind BEGIN", end), strings.Replace(text, "-----\n", "-----"+end, 1))
	}
	lineWays(text, add)
	for _, changed := range []string{"", " ", "X", "CERTIFICATE", "certificate", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE ", " CERTIFICATE", "NEW CERTIFICATE", "PUBLIC KEY",
		"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "ANY PRIVATE KEY", "XPRIVATE KEY", "PRIVATE KEY ", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY",
		"A-----B", "A: PRIVATE KEY"} {
		add(fmt.Sprintf("labelled %q", changed), strings.ReplaceAll(text, " "+label+"-----", " "+changed+"-----"))
		add(fmt.Sprintf("BEGIN %q", changed), strings.Replace(text, " "+label+"-----", " "+changed+"-----", 1))
	}
	half := text[:len(text)/2]
	add("cut in two", half)
	add("cut in two, then another", half+other)
	add("cut in two at a line's end, then another", half[:strings.LastIndex(half, "\n")+1]+other)
	add("cut before END", text[:strings.Index(text, "-----END")])
	add("cut before END, then another", text[:strings.Index(text, "-----END")]+other)
	add("cut in END", text[:strings.Index(text, "-----END")+12])
	add("cut in END, then whole", text[:strings.Index(text, "-----END")+12]+"\n"+text)
	add("twice", text+text)
	add("twice in one line", strings.TrimSuffix(text, "\n")+text)
	add("behind another", other+text)
	add("before another", text+other)
	add("inside another", strings.Replace(other, "-----\n", "-----\n"+text, 1))
	add("only its END, then it", text[strings.Index(text, "-----END"):]+text)
	add("something behind its DER", encode(label, append(append([]byte{}, body...), 0)))
	add("something behind its DER, then whole", encode(label, append(append([]byte{}, body...), 0))+text)
	add("DER cut", encode(label, body[:len(body)-1]))
	add("DER cut to one byte", encode(label, body[:1]))
	add("DER itself", strings.ToValidUTF8(string(body), "?"))
	add("hexadecimal", "-----BEGIN "+label+"-----\n"+hex.EncodeToString(body)+"\n-----END "+label+"-----\n")
	add("URL's base64", "-----BEGIN "+label+"-----\n"+base64.URLEncoding.EncodeToString(body)+"\n-----END "+label+"-----\n")
	add("base64 without padding", strings.ReplaceAll(text, "=", ""))
	add("no PEM, then whole", encode(label, []byte("no DER"))+text)
	add("a comment", "# C=US\nsubject=CN = client\n"+text)
	add("bag attributes", "Bag Attributes\n    localKeyID: 01 \nKey Attributes: <No Attributes>\n"+text)
	add("parameters of a curve before it", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"+text)
	add("a list before it", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"+text)
}

func pems() (rows []pemRow) {
	made, seen := newIdentity(), map[string]bool{}
	add := func(name, cert, key string) {
		// JSON holds no other bytes
		cert, key = strings.ToValidUTF8(cert, "?"), strings.ToValidUTF8(key, "?")
		if !seen[cert+"|"+key] && !bytes.ContainsRune([]byte(cert+key), 0) {
			rows = append(rows, pemRow{Name: name, Cert: cert, Key: key, Differs: differs[name]}.ask())
			seen[cert+"|"+key] = true
		}
	}
	textWays(made.cert, made.other, func(name, text string) { add("certificate: "+name, text, made.eight) })
	textWays(made.eight, made.cert, func(name, text string) { add("key: "+name, made.cert, text) })
	for name, pair := range map[string][2]string{"SEC 1": {made.cert, made.curve}, "Ed25519": {made.edCert, made.ed}, "PKCS#1": {made.rsaCert, made.rsa},
		"RSA in PKCS#8": {made.rsaCert, made.rsaEight}, "under a pass phrase": {made.cert, made.under}, "PKCS#8 under a pass phrase": {made.cert, made.locked},
		"another's key": {made.other, made.eight}, "key of another kind": {made.rsaCert, made.eight}, "changed about": {made.eight, made.cert},
		"both in one": {made.cert + made.eight, made.cert + made.eight}, "under a pass phrase, then whole": {made.cert, made.under + made.eight},
		"PKCS#8 under a pass phrase, then whole": {made.cert, made.locked + made.eight}, "whole, then under a pass phrase": {made.cert, made.eight + made.under},
		"Ed25519 behind SEC 1": {made.edCert, made.curve + made.ed}} {
		add(name, pair[0], pair[1])
	}
	for name, key := range map[string]string{"SEC 1": made.curve, "PKCS#8": made.eight} {
		for _, label := range []string{"RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "ANY PRIVATE KEY", "ENCRYPTED PRIVATE KEY"} {
			add(name+" labelled "+label, made.cert, encode(label, bodyOf(key)))
			add(name+" labelled "+label+", something behind its DER", made.cert, encode(label, append(bodyOf(key), 0)))
		}
	}
	add("PKCS#1 with something behind its DER", made.rsaCert, encode("RSA PRIVATE KEY", append(bodyOf(made.rsa), 0)))
	add("PKCS#1 labelled PRIVATE KEY", made.rsaCert, encode("PRIVATE KEY", bodyOf(made.rsa)))
	return rows
}
