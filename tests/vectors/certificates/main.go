// What Go says of names, chains and files of certificates: the rows that tls/hostname, tls/verify and tls/x509_read are held to.
//
//	go run . make     writes names.jsonl and chains.jsonl anew, with new keys
//	go run . pems     writes pems.jsonl anew
//	go run . check    asks Go again about the rows that are there; ends with "N passed, N failed"
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
)

type nameRow struct {
	DNS  []string `json:"dns,omitempty"`
	IPs  []string `json:"ips,omitempty"`
	Host string   `json:"host"`
	OK   bool     `json:"ok"`
}

// Differs says why Ampule decides otherwise on purpose.
type chainRow struct {
	Name    string   `json:"name"`
	Host    string   `json:"host"`
	Roots   []string `json:"roots"`
	Chain   []string `json:"chain"`
	OK      bool     `json:"ok"`
	Error   string   `json:"error,omitempty"`
	Differs string   `json:"differs,omitempty"`
}

func (row nameRow) ask() bool {
	cert := x509.Certificate{DNSNames: row.DNS}
	for _, ip := range row.IPs {
		cert.IPAddresses = append(cert.IPAddresses, net.ParseIP(ip))
	}
	return cert.VerifyHostname(row.Host) == nil
}

func parse(text string) *x509.Certificate {
	block, _ := pem.Decode([]byte(text))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		panic(err)
	}
	return cert
}

// As crypto/tls asks in a client's handshake.
func (row chainRow) ask() error {
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: row.Host}
	for _, root := range row.Roots {
		options.Roots.AddCert(parse(root))
	}
	for _, cert := range row.Chain[1:] {
		options.Intermediates.AddCert(parse(cert))
	}
	_, err := parse(row.Chain[0]).Verify(options)
	return err
}

func read[Row any](path string) (rows []Row) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row Row
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			panic(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func write[Row any](path string, rows []Row) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	for _, row := range rows {
		line, _ := json.Marshal(row)
		fmt.Fprintf(file, "%s\n", line)
	}
}

func check() {
	passed, failed := 0, 0
	count := func(same bool, what any) {
		if same {
			passed++
			return
		}
		failed++
		fmt.Printf("Go says otherwise today: %v\n", what)
	}
	for _, row := range read[nameRow]("names.jsonl") {
		count(row.ask() == row.OK, row)
	}
	for _, row := range read[chainRow]("chains.jsonl") {
		err := row.ask()
		count((err == nil) == row.OK, fmt.Sprint(row.Name, ": ", err))
	}
	for _, row := range read[pemRow]("pems.jsonl") {
		count(row.ask() == row, row.Name)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

var (
	patterns = []string{"vault", "vault.vault", "*.vault", "*.vault-internal", "*.vault.svc.cluster.local", "*.svc", "*", "*.", "*.*.vault", "a.*.vault",
		"*a.vault", "a*.vault", "**.vault", "*.VAULT", "Vault.Example", "vault.example.", "*.example.", "_x._tcp.vault", "-vault.example", "va-ult.example",
		"vault_1.example", "xn--bcher-kva.example", "*.xn--bcher-kva.example", "vault..example", ".vault", "", ".", "vault.example:8200", "https://vault.example",
		"va ult", "10.0.0.1", "*.0.0.1", "localhost", "*.localhost", "1.vault", "*.1", "vault.example/", "v*ult.example", "[::1]", "::1"}
	hosts = []string{"vault", "vault.vault", "vault.vault.", "VAULT.vault", "vault-0.vault-internal", "a.b.vault", "a.*.vault", "*.vault", "*", "*.svc",
		"vault.vault.svc", "vault.vault.svc.cluster.local", "vault.svc.cluster.local", "a.vault", "aa.vault", "vault.example", "vault.example.", "vault.example..", "VAULT.EXAMPLE",
		"_x._tcp.vault", "-vault.example", "va-ult.example", "vault_1.example", "xn--bcher-kva.example", "a.xn--bcher-kva.example", "bücher.example", "vault..example",
		".vault", "", ".", "vault.example:8200", "va ult", "10.0.0.1", "10.0.0.01", "[10.0.0.1]", "localhost", "localhost.", "app.localhost", "1.vault", "a.1", "[::1]", "::1", "[]", "[", "fe80::1%eth0"}
	addresses = []string{"10.0.0.1", "::1", "127.0.0.1", "fe80::1", "::ffff:10.0.0.1"}
	asked     = []string{"10.0.0.1", "[10.0.0.1]", "::ffff:10.0.0.1", "::ffff:a00:1", "10.0.0.2", "10.0.0.01", "010.0.0.1", "10.0.1", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::01", "127.0.0.1",
		"127.1", "fe80::1", "FE80::1", "fe80::1%eth0", "[fe80::1", "localhost", "0x7f.0.0.1", "2130706433", "10.0.0.1."}
)

func names() (rows []nameRow) {
	add := func(row nameRow) {
		row.OK = row.ask()
		rows = append(rows, row)
	}
	for _, host := range hosts {
		for _, pattern := range patterns {
			add(nameRow{DNS: []string{pattern}, Host: host})
		}
		add(nameRow{DNS: patterns, Host: host})
		add(nameRow{Host: host})
	}
	for _, host := range asked {
		for _, address := range addresses {
			add(nameRow{IPs: []string{address}, Host: host})
		}
		add(nameRow{DNS: asked, Host: host})
		add(nameRow{DNS: []string{"*.0.0.1"}, IPs: addresses, Host: host})
	}
	return rows
}

func main() {
	switch os.Args[len(os.Args)-1] {
	case "make":
		write("names.jsonl", names())
		write("chains.jsonl", chains())
	case "pems":
		write("pems.jsonl", pems())
	case "check":
		check()
	default:
		fmt.Fprintln(os.Stderr, "usage: go run . make | pems | check")
		os.Exit(2)
	}
}
