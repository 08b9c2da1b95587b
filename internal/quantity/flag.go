package quantity

import (
	"fmt"
	"math"
	"strconv"
)

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

// CountFlag reads a positive whole number, exactly: 128, 4k.
type CountFlag struct {
	target *int
	text   string
}

// NewCountFlag returns a flag that writes to target, which stays as it is when the flag is not
// given; its value is the default, 0 shows none.
func NewCountFlag(target *int) *CountFlag {
	text := ""
	if *target != 0 {
		text = strconv.Itoa(*target)
	}
	return &CountFlag{target: target, text: text}
}

// Set parses the text given on the command line.
func (f *CountFlag) Set(text string) error {
	v, err := ParseExact(Count, text)
	if err != nil {
		return err
	}
	if v < 1 || v > math.MaxInt32 {
		return fmt.Errorf("out of range: %d; allowed: 1 to %d", v, math.MaxInt32)
	}
	*f.target, f.text = int(v), text
	return nil
}

func (f *CountFlag) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *CountFlag) Type() string { return "count" }

// DaysFlag reads a duration in which a bare number means days.
type DaysFlag struct{ Flag }

// NewDaysFlag returns a flag that writes seconds to target.
func NewDaysFlag(target *float64) *DaysFlag {
	return &DaysFlag{Flag{kind: Duration, target: target}}
}

// Set parses the text given on the command line.
func (f *DaysFlag) Set(text string) error {
	err := f.Flag.Set(text)
	if err == nil {
		return nil
	}
	number, plain := Parse(Count, text)
	if plain != nil {
		return err
	}
	const secondsPerDay = 86400
	*f.target, f.text = number*secondsPerDay, text
	return nil
}

// Type is the word shown after the flag in the help.
func (f *DaysFlag) Type() string { return "days" }
