package learn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// commaList takes texts apart at their commas.
func commaList(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	return strings.Split(strings.Join(texts, ","), ",")
}

// ParseFixed reads parameters to hold, each as E=1.69, several with commas between; nil without any.
func ParseFixed(texts []string) (map[string]float64, error) {
	var out map[string]float64
	for _, text := range commaList(texts) {
		name, value, _ := strings.Cut(text, "=")
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
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

// ParseBounds reads ranges of parameters, each as E=0:2, several with commas between; an end that is
// left out is open. It returns nil without any.
func ParseBounds(texts []string) (map[string][2]float64, error) {
	var out map[string][2]float64
	for _, text := range commaList(texts) {
		name, span, _ := strings.Cut(text, "=")
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
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
