package transfer

import (
	"strings"
	"time"

	"postil/models"
)

// wxrDates are the dates of an item or a comment, as written.
type wxrDates struct {
	local, utc string // YYYY-MM-DD HH:MM:SS
	published  string // as in news feeds; items only
}

const wxrLayout = "2006-01-02 15:04:05"

func (d wxrDates) known() bool { return d.utc != "" || d.local != "" || d.published != "" }

// clock is how far a site's local time is from UTC: the difference that most
// records have between their two dates.
type clock struct {
	seen map[time.Duration]int
	best time.Duration
}

// learn counts the differences in an item and its comments.
func (c *clock) learn(it *wxrItem) {
	c.count(it.dates)
	for i := range it.comments {
		c.count(it.comments[i].dates)
	}
}

func (c *clock) count(d wxrDates) {
	local, err1 := time.Parse(wxrLayout, d.local)
	utc, err2 := time.Parse(wxrLayout, d.utc)
	diff := local.Sub(utc).Round(15 * time.Minute)
	if err1 != nil || err2 != nil || diff.Abs() > 15*time.Hour {
		return
	}
	if c.seen == nil {
		c.seen = map[time.Duration]int{}
	}
	c.seen[diff]++
	if c.seen[diff] > c.seen[c.best] {
		c.best = diff
	}
}

// moment is the time of a record: the UTC date, else the local one moved to
// UTC, else the one for news feeds. When there is none the moment is unknown,
// which is counted; no other date takes its place.
func (i *WXRInfo) moment(c clock, d wxrDates) models.Timestamp {
	if t, err := time.Parse(wxrLayout, d.utc); err == nil {
		return models.At(t)
	}
	if t, err := time.Parse(wxrLayout, d.local); err == nil {
		return models.At(t.Add(-c.best))
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123} {
		if t, err := time.Parse(layout, d.published); err == nil && t.Year() > 1 {
			return models.At(t)
		}
	}
	if strings.HasPrefix(d.utc, "0000-00-00") || strings.HasPrefix(d.local, "0000-00-00") {
		i.ZeroDates++
	} else {
		i.MissingDates++
	}
	return 0
}
