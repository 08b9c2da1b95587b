package quantity

import "strconv"

// Flag reads a command-line flag into a float64 in the base unit of its kind; it is a pflag.Value.
type Flag struct {
	kind   Kind
	target *float64
	text   string
}

// NewFlag returns a flag of a kind that writes to target. The value already in target is its
// default; 0 shows none.
func NewFlag(kind Kind, target *float64) *Flag {
	text := ""
	if *target != 0 {
		text = Format(kind, *target, DefaultDigits)
	}
	return &Flag{kind: kind, target: target, text: text}
}

// Set parses the text given on the command line.
func (f *Flag) Set(text string) error {
	value, err := Parse(f.kind, text)
	if err != nil {
		return err
	}
	*f.target, f.text = value, text
	return nil
}

func (f *Flag) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *Flag) Type() string { return kindTraits[f.kind].word }

// ExactFlag reads a whole number exactly, with the suffixes of its kind: --steps 524288, --tokens
// 34.4B.
type ExactFlag struct {
	kind   Kind
	target *int64
	text   string
}

// NewExactFlag returns a flag of the kind [Count], [Params] or [Tokens] that writes to target.
func NewExactFlag(kind Kind, target *int64) *ExactFlag {
	text := ""
	if *target != 0 {
		text = strconv.FormatInt(*target, 10)
	}
	return &ExactFlag{kind: kind, target: target, text: text}
}

// Set parses the text given on the command line.
func (f *ExactFlag) Set(text string) error {
	value, err := ParseExact(f.kind, text)
	if err != nil {
		return err
	}
	*f.target, f.text = value, text
	return nil
}

func (f *ExactFlag) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *ExactFlag) Type() string { return kindTraits[f.kind].word }
