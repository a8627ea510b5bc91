package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// shape is one template with its data, for tests/bench/templates: TEMPLATE DATA print|execute|whole [MS].
type shape struct {
	source string
	data   any
	base   *template.Template // knows the functions, so that they are registered once
	parsed *template.Template
	out    bytes.Buffer
}

func (s *shape) parse() (err error) {
	s.parsed, err = s.base.New("").Parse(s.source)
	return err
}

func (s *shape) execute() error {
	s.out.Reset()
	return s.parsed.Execute(&s.out, s.data)
}

func (s *shape) whole() error {
	if err := s.parse(); err != nil {
		return err
	}
	return s.execute()
}

func peakKiB() string {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	return strings.Fields(rest + " 0")[0]
}

// cpu is the time of all threads.
func cpu() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure runs batches that double until one takes all of the processor time.
func measure(once func() error, least time.Duration) (string, error) {
	var before, after runtime.MemStats
	for runs := 1; ; runs *= 2 {
		runtime.ReadMemStats(&before)
		begin, cpuBegin := time.Now(), cpu()
		for i := 0; i < runs; i++ {
			if err := once(); err != nil {
				return "", err
			}
		}
		took, busy := time.Since(begin), cpu()-cpuBegin
		runtime.ReadMemStats(&after)
		if busy >= least {
			per := func(n uint64) float64 { return float64(n) / float64(runs) }
			return fmt.Sprintf(`{"ns": %.1f, "cpu_ns": %.1f, "runs": %d, "allocations": %.2f, "bytes": %.1f, "peak_kib": %s}`, per(uint64(took)), per(uint64(busy)),
				runs, per(after.Mallocs-before.Mallocs), per(after.TotalAlloc-before.TotalAlloc), peakKiB()), nil
		}
	}
}

func (s *shape) run(mode string, ms string) (string, error) {
	if err := s.whole(); err != nil || mode == "print" {
		return s.out.String(), err
	}
	n, err := strconv.Atoi(ms)
	if err != nil {
		return "", err
	}
	once := s.execute
	if mode == "whole" {
		once = s.whole
	}
	text, err := measure(once, time.Duration(n)*time.Millisecond)
	return text + "\n", err
}

// bench answers with the output or the figures of one shape.
func bench(args []string) (string, error) {
	source, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	s := &shape{source: string(source), base: newTemplate(nil)}
	if s.data, err = decode(string(text), true); err != nil {
		return "", err
	}
	return s.run(args[2], append(args, "0")[3])
}
