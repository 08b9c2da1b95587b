package hardware

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

var catalogue = sync.OnceValue(func() []Profile {
	facts := data.Accelerators()
	profiles := make([]Profile, len(facts))
	for i, a := range facts {
		profiles[i] = fromFacts(a)
	}
	return profiles
})

// Catalogue returns the profiles of all published accelerators, by vendor and age.
func Catalogue() []Profile {
	profiles := slices.Clone(catalogue())
	for i := range profiles {
		profiles[i] = profiles[i].Clone()
	}
	return profiles
}

// NameError says that a name means no profile, or several.
type NameError struct {
	Name    string
	Matches []string // the profiles that the name could mean; empty when it means none
	Nearest string   // what was probably meant, if anything comes near
}

func (e *NameError) Error() string {
	if len(e.Matches) > 0 {
		return fmt.Sprintf("a hardware name that means several devices: %q; allowed: %s",
			e.Name, strings.Join(e.Matches, ", "))
	}
	return fmt.Sprintf("unknown hardware: %q%s; allowed: a name that deepnarrow list hardware shows, or a profile file",
		e.Name, suggest.Hint(e.Nearest))
}

// Find returns the catalogue profile that a name means. Letter case, spaces and punctuation count
// for nothing. A full name or alias wins; otherwise the name may be part of one profile's name or
// alias, and of no other's. The error is of type [*NameError].
func Find(name string) (Profile, error) {
	wanted := Fold(name)
	if wanted == "" {
		return Profile{}, &NameError{Name: name}
	}
	var within []Profile
	var names []string
	for _, p := range catalogue() {
		part := false
		for _, spelling := range append([]string{p.Name}, p.Aliases...) {
			folded := Fold(spelling)
			if folded == wanted {
				return p.Clone(), nil
			}
			part = part || strings.Contains(folded, wanted)
			names = append(names, spelling)
		}
		if part {
			within = append(within, p)
		}
	}
	const shortest = 3 // shorter parts ("v", "h1") are rather a slip than a name
	switch {
	case len(within) == 1 && len(wanted) >= shortest:
		return within[0].Clone(), nil
	case len(within) > 0 && len(wanted) >= shortest:
		e := &NameError{Name: name}
		for _, p := range within {
			e.Matches = append(e.Matches, p.Aliases[0])
		}
		return Profile{}, e
	}
	return Profile{}, &NameError{Name: name, Nearest: suggest.Nearest(name, names)}
}

// Fold keeps the letters and digits of a name, in lower case.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, name)
}
