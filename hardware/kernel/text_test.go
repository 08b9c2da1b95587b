package kernel

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The text that learning is tested on is made by this grammar: English-like stories with words that
// agree and names and things that come back, so that there is something to learn at every distance.
// Every word of it is ours.

const (
	textFile  = "testdata/stories.txt"
	textBytes = 240_000
	textSeed  = 2109
)

var update = flag.Bool("update", false, "write "+textFile+" anew")

func loadText(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(textFile)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTextIsWhatItsGrammarMakes(t *testing.T) {
	text := stories(textSeed, textBytes)
	if *update {
		if err := os.WriteFile(textFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(loadText(t)) != text {
		t.Errorf(
			"%s differs from what its grammar makes; go test -run TestText -update writes it anew",
			textFile)
	}
}

// teller holds the random stream and what the story under way is about.
type teller struct {
	*rand.Rand
	hero, friend, place, thing string
}

func (t *teller) one(of string) string {
	words := strings.Split(of, "|")
	return words[t.IntN(len(words))]
}

func (t *teller) name() string {
	return t.one(
		"Anna|Boris|Clara|David|Elena|Farid|Greta|Hugo|Irena|Jonas|Karin|Leon|Mira|Nils|Olga|Pavel")
}

func (t *teller) location() string {
	return t.one(
		"harbour|market|mill|library|station|garden|bridge|workshop|tower|forest|bakery|school")
}

func (t *teller) object() string {
	return t.one(
		"lantern|letter|basket|clock|ladder|kettle|map|violin|blanket|mirror|saddle|bicycle")
}

func (t *teller) quality() string {
	return t.one("old|small|green|heavy|broken|bright|quiet|narrow|wooden|strange|empty|warm")
}

func (t *teller) number() string {
	words := []string{"two", "three", "four", "five", "six", "seven", "eight", "nine"}
	if t.IntN(4) == 0 {
		return strconv.Itoa(10 + t.IntN(90))
	}
	return words[t.IntN(len(words))]
}

func (t *teller) sentence() string {
	hero, friend, place, thing := t.hero, t.friend, t.place, t.thing
	switch t.IntN(10) {
	case 0:
		return hero + " walked from the " + place + " to the " + t.location() + " with the " +
			thing + "."
	case 1:
		return "The " + thing + " was " + t.quality() + ", but " + friend + " liked it."
	case 2:
		return "\"Where is the " + thing + "?\" asked " + friend + ". \"It is in the " + place +
			",\" said " + hero + "."
	case 3:
		return "There were " + t.number() + " " + t.object() + "s and a " + t.quality() + " " +
			t.object() + " near the " + place + "."
	case 4:
		return friend + " gave " + hero + " the " + thing + " and went back to the " + place + "."
	case 5:
		return "After " + t.number() + " days the " + t.quality() + " " + place + " was " +
			t.quality() + " again."
	case 6:
		return "In the " + t.one("morning|evening|winter|summer|spring|autumn") + " " + hero +
			" and " + friend + " cleaned the " + place + "."
	case 7:
		return hero + " has never seen such a " + t.quality() + " " + thing + "."
	case 8:
		return "If the " + thing + " is " + t.quality() + ", then the " + place + " is " +
			t.quality() + " too."
	default:
		return friend + " counted the steps to the " + place + ": " + t.number() + ", and then " +
			t.number() + " more."
	}
}

// stories tells stories until they fill the given number of bytes, and cuts behind the last one
// that fits.
func stories(seed uint64, bytes int) string {
	t := &teller{Rand: rand.New(rand.NewPCG(seed, 0))}
	var b strings.Builder
	for {
		t.hero, t.friend, t.place, t.thing = t.name(), t.name(), t.location(), t.object()
		var story strings.Builder
		story.WriteString(t.hero + " and the " + t.thing + "\n\n")
		for range 2 + t.IntN(3) {
			for n := range 3 + t.IntN(4) {
				if n > 0 {
					story.WriteByte(' ')
				}
				story.WriteString(t.sentence())
			}
			story.WriteString("\n\n")
		}
		if b.Len()+story.Len() > bytes {
			return b.String()
		}
		b.WriteString(story.String())
	}
}
