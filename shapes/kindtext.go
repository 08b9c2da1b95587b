package shapes

import (
	"fmt"
	"slices"
	"strings"
)

// KindError reports a word that names none of the values of a kind.
type KindError struct {
	Kind  string   // "norm", "head", …
	Value string   // what was given
	Valid []string // what is allowed
}

func (e *KindError) Error() string {
	return fmt.Sprintf("unknown %s: %q; allowed: %s", e.Kind, e.Value, strings.Join(e.Valid, ", "))
}

// String returns the word used in config files, e.g. "rmsnorm".
func (n Norm) String() string { return WordOf(normNames, n) }

// String returns the word used in config files, e.g. "relu".
func (a Activation) String() string { return WordOf(activationNames, a) }

// String returns the word used in config files, e.g. "tied".
func (h Head) String() string { return WordOf(headNames, h) }

// String returns the word used in config files, e.g. "relative".
func (p Position) String() string { return WordOf(positionNames, p) }

// String returns the word used in config files, e.g. "tokens".
func (k FrontendKind) String() string { return WordOf(frontendNames, k) }

// String returns the word used in config files, e.g. "head".
func (q QKNorm) String() string { return WordOf(qkNormNames, q) }

// String returns the word used in config files, e.g. "encoder-output".
func (p Place) String() string { return WordOf(placeNames, p) }

// MarshalText writes the word of [QKNorm.String].
func (q QKNorm) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// MarshalText writes the word of [Place.String].
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText accepts the words of [QKNorm.String]; else a [*KindError].
func (q *QKNorm) UnmarshalText(text []byte) error {
	return parseKind(q, "qk_norm", qkNormNames, text)
}

// UnmarshalText accepts the words of [Place.String]; else a [*KindError].
func (p *Place) UnmarshalText(text []byte) error { return parseKind(p, "place", placeNames, text) }

// MarshalText writes the word of [Norm.String].
func (n Norm) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// MarshalText writes the word of [Activation.String].
func (a Activation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// MarshalText writes the word of [Head.String].
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// MarshalText writes the word of [Position.String].
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText writes the word of [FrontendKind.String].
func (k FrontendKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText accepts the words of [Norm.String]; else a [*KindError].
func (n *Norm) UnmarshalText(text []byte) error { return parseKind(n, "norm", normNames, text) }

// UnmarshalText accepts the words of [Activation.String]; else a [*KindError].
func (a *Activation) UnmarshalText(text []byte) error {
	return parseKind(a, "activation", activationNames, text)
}

// UnmarshalText accepts the words of [Head.String]; else a [*KindError].
func (h *Head) UnmarshalText(text []byte) error { return parseKind(h, "head", headNames, text) }

// UnmarshalText accepts the words of [Position.String]; else a [*KindError].
func (p *Position) UnmarshalText(text []byte) error {
	return parseKind(p, "position", positionNames, text)
}

// UnmarshalText accepts the words of [FrontendKind.String]; else a [*KindError].
func (k *FrontendKind) UnmarshalText(text []byte) error {
	return parseKind(k, "frontend", frontendNames, text)
}

// WordOf returns the word of a value among those of its kind, in the order of its constants.
func WordOf[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("invalid(%d)", v)
}

func parseKind[T ~uint8](v *T, kind string, names []string, text []byte) error {
	i := slices.Index(names, strings.ToLower(string(text)))
	if i < 0 {
		return &KindError{Kind: kind, Value: string(text), Valid: names}
	}
	*v = T(i)
	return nil
}
