// Package host is what the program asks of the machine that it runs on: its processor and memory,
// and files that are written whole.
package host

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
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
