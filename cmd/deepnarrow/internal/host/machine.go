// Package host is what the program asks of the machine that it runs on: its processor and memory,
// and files that are written whole.
package host

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Name tells the processor and how many there are, for records.
func Name() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return name
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value) + " ×" + strconv.Itoa(runtime.NumCPU())
		}
	}
	return name
}

// MemoryBytes returns the memory of the machine, 0 where the system does not tell.
func MemoryBytes() float64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	var kilobytes float64
	if _, err := fmt.Sscanf(string(info), "MemTotal: %f kB", &kilobytes); err != nil {
		return 0
	}
	return 1024 * kilobytes
}

// Signals are those that end a command as it ends itself, with what it has: an interrupt, the end of a
// job, and of the terminal, unless nohup says that this one is not meant.
func Signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}
