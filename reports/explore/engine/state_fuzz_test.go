package engine

import (
	"reflect"
	"testing"
)

// FuzzState: a state that an address names is named by its own fragment.
func FuzzState(f *testing.F) {
	f.Add(start().fragment())
	f.Add("shape=t5-base/nl=4&el=3&among=lattice&batch=1e3")
	f.Add("%zz&&=&el=0&el=-1&shape=%00")
	f.Fuzz(func(t *testing.T, fragment string) {
		s, err := read(fragment)
		if err != nil {
			return
		}
		if again, err := read(s.fragment()); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%q is %+v, which reads as %+v, error %v", fragment, s, again, err)
		}
	})
}
