// gotemplate answers what the original prints: Go's text/template with the functions of the published consul-template and sprig modules.
//
// Lines of JSON come in on standard input, one answer a line goes out, in the same order:
//
//	{"template": T, "data": "JSON", "flags": "n", "store": {"reads": {PATH: REPLY}, "lists": {PATH: [NAME]}}, "env": ["A=b"], "now": "RFC 3339"}
//	{"got": "=output" | "P!parse error" | "X!execution error"}   or  {"hex": …} of the same when it is no UTF-8  or  {"skip": "reason"}
//
// With the argument "functions" it prints the names and Go types of all functions instead, for the generator of the differential test.
// With "bench" it measures one template, see bench.go. All but the template may be left out; a store stays until another one is given. Meaning of the flags: tests/vectors/README.md.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

type row struct {
	Template string          `json:"template"`
	Data     string          `json:"data"`
	Flags    string          `json:"flags"`
	Store    json.RawMessage `json:"store"`
	Env      []string        `json:"env"`
	Now      string          `json:"now"`
}

type answer struct {
	Got  string `json:"got,omitempty"`
	Hex  string `json:"hex,omitempty"`
	Skip string `json:"skip,omitempty"`
}

const (
	maxOutput = 64 << 20
	patience  = 4 * time.Second
)

// bounded refuses to grow without end.
type bounded struct{ bytes.Buffer }

var errTooLong = errors.New("output too long")

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

func decode(text string, spelled bool) (v any, err error) {
	if text == "" {
		return nil, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	if spelled {
		d.UseNumber()
	}
	err = d.Decode(&v)
	return v, err
}

// options applies flags: n spelled numbers, e and i missingkey=error and =invalid, then a blank and two delimiters.
func options(t *template.Template, flags string) (spelled bool) {
	letters, delimiters, _ := strings.Cut(flags, " ")
	if left, right, ok := strings.Cut(delimiters, " "); ok {
		t.Delims(left, right)
	}
	missing := "zero"
	if strings.Contains(letters, "e") {
		missing = "error"
	} else if strings.Contains(letters, "i") {
		missing = "invalid"
	}
	t.Option("missingkey=" + missing)
	return strings.Contains(letters, "n")
}

func render(r *row) (text string, skip string) {
	defer func() {
		if p := recover(); p != nil {
			skip = "panic"
		}
	}()
	t := newTemplate(r.Env)
	data, err := decode(r.Data, options(t, r.Flags))
	if err != nil {
		return "", "data: " + err.Error()
	}
	if _, err := t.Parse(r.Template); err != nil {
		return "P!" + err.Error(), ""
	}
	var out bounded
	if err := t.Execute(&out, data); errors.Is(err, errTooLong) {
		return "", err.Error()
	} else if err != nil {
		return "X!" + err.Error(), ""
	}
	return "=" + out.String(), ""
}

// patiently gives up on templates that never end, and leaves their goroutine behind.
func patiently(r *row) (string, string) {
	type result struct{ text, skip string }
	done := make(chan result, 1)
	go func() {
		text, skip := render(r)
		done <- result{text, skip}
	}()
	select {
	case got := <-done:
		return got.text, got.skip
	case <-time.After(patience):
		return "", "takes too long"
	}
}

func reply(r *row) answer {
	if r.Store != nil {
		if err := loadStore(r.Store); err != nil {
			return answer{Skip: "store: " + err.Error()}
		}
	}
	if err := setNow(r.Now); err != nil {
		return answer{Skip: "now: " + err.Error()}
	}
	text, skip := patiently(r)
	switch {
	case skip != "":
		return answer{Skip: skip}
	case utf8.ValidString(text):
		return answer{Got: text}
	}
	return answer{Hex: hex.EncodeToString([]byte(text))}
}

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	os.Stdout, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0) // spew_dump prints there
	os.Clearenv()
	if len(os.Args) > 1 && os.Args[1] == "functions" {
		for name, function := range table {
			fmt.Fprintf(out, "%s %T\n", name, function)
		}
		out.Flush()
		return
	}
	log.SetOutput(io.Discard)
	if len(os.Args) > 4 && os.Args[1] == "bench" {
		text, err := bench(os.Args[2:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out.WriteString(text)
		out.Flush()
		return
	}
	debug.SetGCPercent(400)
	debug.SetMaxStack(512 << 20) // enough for 100,000 templates in one another; what has no end ends sooner
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var r row
			a := answer{}
			if e := json.Unmarshal(line, &r); e != nil {
				a.Skip = "row: " + e.Error()
			} else {
				a = reply(&r)
			}
			encoder.Encode(&a)
		}
		if err != nil {
			return
		}
		out.Flush() // at once: the last answer tells which row a fatal error came of
	}
}
