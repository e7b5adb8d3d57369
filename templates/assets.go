package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Asset is a static file. Its name holds the hash of its content, so it may be
// cached for ever.
type Asset struct {
	Type string // media type
	Body []byte
	Gzip []byte // the body compressed; nil when that gains nothing
	ETag string // quoted
}

// assets are the static files: by the name that is served, and the served name
// by the plain one.
type assets struct {
	served map[string]Asset
	names  map[string]string
}

var mediaTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".ico":   "image/x-icon",
	".woff2": "font/woff2",
	".txt":   "text/plain; charset=utf-8",
}

// Asset finds a static file by its hashed name, which is what follows /static/.
func (r *Renderer) Asset(name string) (Asset, bool) {
	a, ok := r.assets.served[name]
	return a, ok
}

// newAssets names and compresses the static files. The sheets below css/ are
// joined in order of their names into postil.css. A script imports another by
// "./name.js", which is replaced by the hashed name; so the imported one is
// named first, and scripts may not import each other in a circle.
func newAssets(files map[string][]byte) (assets, error) {
	files = joinSheets(files)
	a := assets{served: make(map[string]Asset), names: make(map[string]string)}
	for name := range files {
		if err := a.add(name, files, nil); err != nil {
			return assets{}, err
		}
	}
	return a, nil
}

// add names the file name and, before it, the scripts it imports. above are
// the scripts that led here.
func (a assets) add(name string, files map[string][]byte, above []string) error {
	if a.names[name] != "" {
		return nil
	}
	if slices.Contains(above, name) {
		return fmt.Errorf("static file %s: imports itself by way of %s", name, strings.Join(above, ", "))
	}
	ext := path.Ext(name)
	kind, ok := mediaTypes[ext]
	if !ok {
		return fmt.Errorf("static file %s: its kind is not one that is served", name)
	}
	body := files[name]
	if ext == ".js" {
		for other := range files {
			plain := []byte(`"./` + other + `"`)
			if !bytes.Contains(body, plain) {
				continue
			}
			if err := a.add(other, files, append(above, name)); err != nil {
				return err
			}
			body = bytes.ReplaceAll(body, plain, []byte(`"./`+a.names[other]+`"`))
		}
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:6])
	zipped, err := compress(body)
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	a.names[name] = strings.TrimSuffix(name, ext) + "." + hash + ext
	a.served[a.names[name]] = Asset{Type: kind, Body: body, Gzip: zipped, ETag: `"` + hash + `"`}
	return nil
}

// joinSheets puts css/*.css together as postil.css.
func joinSheets(files map[string][]byte) map[string][]byte {
	out := make(map[string][]byte, len(files))
	var sheets []string
	for name, body := range files {
		if strings.HasPrefix(name, "css/") {
			sheets = append(sheets, name)
			continue
		}
		out[name] = body
	}
	if len(sheets) == 0 {
		return out
	}
	slices.Sort(sheets)
	var all bytes.Buffer
	for _, name := range sheets {
		all.Write(files[name])
		all.WriteByte('\n')
	}
	out["postil.css"] = all.Bytes()
	return out
}

func compress(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() >= len(body) {
		return nil, nil
	}
	return out.Bytes(), nil
}

// url is the address of a static file by its plain name.
func (a assets) url(name string) (string, error) {
	hashed, ok := a.names[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %s", name)
	}
	return "/static/" + hashed, nil
}
