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

// assigned reads settings of parameters, each as NAME=TEXT, several with commas between; nil without
// any.
func assigned[T any](texts []string, allowed string, read func(text string) (T, bool)) (map[string]T, error) {
	var out map[string]T
	for _, text := range commaList(texts) {
		name, value, _ := strings.Cut(text, "=")
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
		v, ok := read(value)
		if !ok || name == "" {
			return nil, fmt.Errorf("%q; allowed: %s", text, allowed)
		}
		if out == nil {
			out = map[string]T{}
		}
		out[name] = v
	}
	return out, nil
}

// ParseFixed reads parameters to hold, each as E=1.69, several with commas between; nil without any.
func ParseFixed(texts []string) (map[string]float64, error) {
	return assigned(texts, "NAME=VALUE, such as E=1.69", func(text string) (float64, bool) {
		v, err := strconv.ParseFloat(text, 64)
		return v, err == nil && finite(v)
	})
}

// ParseBounds reads ranges of parameters, each as E=0:2, several with commas between; an end that is
// left out is open. It returns nil without any.
func ParseBounds(texts []string) (map[string][2]float64, error) {
	return assigned(texts, "NAME=LOW:HIGH with LOW below HIGH, such as E=0:2", func(text string) (b [2]float64, ok bool) {
		low, high, ok := strings.Cut(text, ":")
		for i, end := range [2]string{low, high} {
			if b[i] = math.Inf(2*i - 1); end != "" {
				var err error
				b[i], err = strconv.ParseFloat(end, 64)
				ok = ok && err == nil
			}
		}
		return b, ok && b[0] < b[1]
	})
}
