package markup

import (
	"net/url"
	"strings"
)

// maxURL is the longest address, in bytes, that becomes a link.
const maxURL = 2_048

// promising returns address if it might become a link and nil if it cannot,
// before work is spent on it: one definition may be used many thousand times.
func promising(address []byte) []byte {
	if len(address) <= maxURL && linkHref.Match(address) {
		return address
	}
	return nil
}

// linkTarget says where an address may lead: to http, https and mailto, to a
// place on this page ("#…") or on this site ("/…"). Everything else is no link,
// in particular schemes nobody has heard of, because a list of bad ones is never
// complete. "//host" is refused too: it looks like a path and leaves the site.
func linkTarget(address []byte) (string, bool) {
	u, err := url.Parse(string(address))
	if err != nil {
		return "", false
	}
	target := u.String()
	switch u.Scheme {
	case "http", "https":
		return target, u.Host != ""
	case "mailto":
		return target, u.Opaque != ""
	case "":
		return target, isOwn(target)
	}
	return "", false
}

// isOwn reports whether a target stays on this site.
func isOwn(target string) bool {
	if strings.HasPrefix(target, "#") {
		return true
	}
	return strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") && !strings.HasPrefix(target, `/\`)
}

// isImageSource reports whether an article may show an image from target.
func isImageSource(target string) bool {
	return strings.HasPrefix(target, "/") && isOwn(target)
}
