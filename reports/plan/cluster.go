package plan

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Cluster is devices of one type that are rented together.
type Cluster struct {
	Devices int // 0 is open
	Profile hardware.Profile
	Region  string // a cloud region or a country; empty is the question's
	Terms   string // of the price: on-demand, reserved, spot; empty where no price list says

	spec string // the profile as it was typed, with its changes
}

// mostDevices bounds the count of a cluster, as a layout bounds each of its axes.
const mostDevices = 1 << 20

// Finder returns the profile that a name or file with changes means, such as [hardware.Parse].
type Finder func(spec string) (hardware.Profile, error)

// ParseClusters reads clusters as flags name them, several texts of several clusters each:
//
//	8xh100    64xa100,price=1.20    256xtpu-v5e,region=us-central1,h100
//
// After a comma key=value belongs to the cluster before it: region, and the settings of a profile.
// Without a count the devices are open. find resolves the profile; nil is [hardware.Parse]. The
// error joins those of all faulty clusters.
func ParseClusters(find Finder, texts ...string) ([]Cluster, error) {
	var out []Cluster
	var faults []error
	for _, text := range texts {
		for _, item := range quantity.SplitList(text) {
			c, err := parseCluster(find, item)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			out = append(out, c)
		}
	}
	return out, errors.Join(faults...)
}

func parseCluster(find Finder, item string) (Cluster, error) {
	if find == nil {
		find = hardware.Parse
	}
	var c Cluster
	spec := item
	if count, rest, counted := cutCount(item); counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > mostDevices {
			return c, fmt.Errorf("%s: number of devices out of range: %s; allowed: 1 to %d", item,
				count, mostDevices)
		}
		c.Devices, spec = n, rest
	}
	name, changes := hardware.SplitSpec(spec)
	if name == "" {
		return c, fmt.Errorf("not a cluster: %q; allowed: such as 8xh100 or h100,price=2.50", item)
	}
	kept := []string{name}
	for change := range strings.SplitSeq(changes, ",") {
		key, value, _ := strings.Cut(change, "=")
		switch {
		case strings.TrimSpace(change) == "":
		case strings.TrimSpace(key) != "region":
			kept = append(kept, strings.TrimSpace(change))
		case c.Region != "":
			return c, fmt.Errorf("%s: region: given twice", item)
		default:
			if c.Region = strings.TrimSpace(value); c.Region == "" {
				return c, fmt.Errorf("%s: region: empty; allowed: a cloud region or a country", item)
			}
		}
	}
	c.spec = strings.Join(kept, ",")
	var err error
	c.Profile, err = find(c.spec)
	return c, err
}

// cutCount splits "8xh100", "8 x h100" and "8×h100" into count and name.
func cutCount(item string) (count, rest string, counted bool) {
	digits := 0
	for digits < len(item) && item[digits] >= '0' && item[digits] <= '9' {
		digits++
	}
	rest = strings.TrimLeft(item[digits:], " ")
	for _, times := range []string{"x", "X", "×", "*"} {
		if name, found := strings.CutPrefix(rest, times); found && digits > 0 {
			return item[:digits], strings.TrimSpace(name), true
		}
	}
	return "", item, false
}

// Spec names the profile, with its changes, as flags do.
func (c *Cluster) Spec() string {
	return cmp.Or(c.spec, c.Profile.Alias())
}

// String returns the cluster as [ParseClusters] reads it: "64xa100,price=1.20,region=us-central1".
func (c *Cluster) String() string {
	text := c.Spec()
	if c.Devices > 0 {
		text = fmt.Sprintf("%dx%s", c.Devices, text)
	}
	if c.Region != "" {
		text += ",region=" + c.Region
	}
	return text
}

// Ask returns the question asked of the cluster: its profile, and its devices and region where it
// states them.
func (c *Cluster) Ask(q Question) Question {
	q.Profile = &c.Profile
	q.Devices, q.Rates.Region = cmp.Or(c.Devices, q.Devices), cmp.Or(c.Region, q.Rates.Region)
	return q
}
