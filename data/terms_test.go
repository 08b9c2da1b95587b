package data

import "testing"

func TestGlossary(t *testing.T) {
	seen := map[string]string{}
	for _, term := range Terms() {
		for _, name := range append([]string{term.Name}, term.Aliases...) {
			if other, taken := seen[name]; taken {
				t.Errorf("%q explains both %s and %s", name, other, term.Name)
			}
			seen[name] = term.Name
			if got, ok := FindTerm(name); !ok || got.Name != term.Name {
				t.Errorf("FindTerm(%q) = %q, %v", name, got.Name, ok)
			}
		}
	}
	if _, ok := FindTerm("no such term"); ok {
		t.Error("an unknown term was found")
	}
}
