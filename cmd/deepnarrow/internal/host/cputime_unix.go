//go:build unix

package host

import "syscall"

// CPUSeconds returns the processor time that the process has used.
func CPUSeconds() func() float64 {
	return func() float64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return 0
		}
		const micro = 1e-6
		return float64(u.Utime.Sec+u.Stime.Sec) + micro*float64(u.Utime.Usec+u.Stime.Usec)
	}
}
