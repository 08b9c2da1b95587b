package hardware

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
)

// OverrideError says what is wrong with one key=value of a hardware flag.
type OverrideError struct {
	Key     string
	Problem error
}

func (e *OverrideError) Error() string { return e.Key + ": " + e.Problem.Error() }

func (e *OverrideError) Unwrap() error { return e.Problem }

// Parse returns the catalogue profile that a hardware flag means: a name, then overrides of its
// numbers, as in "a100,mem=40GiB,price=1.10". Errors are a [*NameError], or all faulty overrides at
// once as [*OverrideError]s.
func Parse(text string) (Profile, error) {
	name, overrides := SplitSpec(text)
	profile, err := Find(name)
	if err != nil {
		return Profile{}, err
	}
	return Override(profile, overrides)
}

// SplitSpec separates the name of a hardware flag, which may be a profile file, from its overrides.
// A comma in parentheses belongs to the name.
func SplitSpec(text string) (name, overrides string) {
	open := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			open++
		case ')':
			open--
		case ',':
			if open <= 0 {
				return strings.TrimSpace(text[:i]), text[i+1:]
			}
		}
	}
	return strings.TrimSpace(text), ""
}

// Override returns the profile with numbers replaced: "mem=40GiB,price=1.10". An empty text changes
// nothing.
func Override(profile Profile, text string) (Profile, error) {
	profile = profile.Clone()
	if strings.TrimSpace(text) == "" {
		return profile, nil
	}
	var faults []error
	var given []string
	for _, part := range strings.Split(text, ",") {
		key, value, found := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		s, known := findSetting(key)
		switch {
		case !found || key == "":
			faults = append(faults, &OverrideError{
				clip(strings.TrimSpace(part)),
				errors.New("not an override; allowed: key=value, such as mem=40GiB"),
			})
		case !known:
			faults = append(faults, &OverrideError{clip(key), errors.New(unknownSetting(key))})
		case slices.Contains(given, s.key):
			faults = append(faults, &OverrideError{s.key, errors.New("given twice")})
		default:
			given = append(given, s.key)
			amount, err := s.amount(value)
			if err != nil {
				faults = append(faults, &OverrideError{key, err})
				continue
			}
			s.put(&profile, Field{Fact: data.Fact{
				Value: amount, Source: fmt.Sprintf("given as %s=%s", s.key, value),
			}, Origin: Flag})
		}
		const mostFaults = 20
		if len(faults) > mostFaults {
			break
		}
	}
	return profile, errors.Join(faults...)
}
