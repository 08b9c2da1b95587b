package learn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseFixed reads parameters to hold, each as E=1.69; nil without any.
func ParseFixed(texts []string) (map[string]float64, error) {
	var out map[string]float64
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !finite(v) || name == "" {
			return nil, fmt.Errorf("%q; allowed: NAME=VALUE, such as E=1.69", text)
		}
		if out == nil {
			out = map[string]float64{}
		}
		out[name] = v
	}
	return out, nil
}

// ParseBounds reads ranges of parameters, each as E=0:2; an end that is left out is open. It
// returns
// nil without any.
func ParseBounds(texts []string) (map[string][2]float64, error) {
	var out map[string][2]float64
	for _, text := range texts {
		name, span, _ := strings.Cut(text, "=")
		low, high, ok := strings.Cut(span, ":")
		ok = ok && name != ""
		end := func(text string, open float64) float64 {
			if text == "" {
				return open
			}
			v, err := strconv.ParseFloat(text, 64)
			ok = ok && err == nil
			return v
		}
		b := [2]float64{end(low, math.Inf(-1)), end(high, math.Inf(1))}
		if !ok || !(b[0] < b[1]) {
			return nil, fmt.Errorf(
				"%q; allowed: NAME=LOW:HIGH with LOW below HIGH, such as E=0:2", text)
		}
		if out == nil {
			out = map[string][2]float64{}
		}
		out[name] = b
	}
	return out, nil
}
