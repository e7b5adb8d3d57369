package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setting is one thing that may be configured. None has to be.
type setting struct {
	name    string // of the flag and in the file; POSTIL_NAME in the environment
	value   string // when nothing is said
	usage   string
	example string // for the file that init writes
}

var settings = []setting{
	{name: "db", value: "postil.db", usage: "database: a file path or sqlite:PATH"},
	{name: "addr", value: "127.0.0.1:8080", usage: "address to listen on, HOST:PORT; port 0 takes a free one"},
	{name: "public-url", usage: "address that readers use, such as https://talk.example.org; turns on Secure cookies and HSTS when it is https", example: "https://talk.example.org"},
	{name: "site-name", value: "Postil", usage: "name of the site"},
	{name: "keys", usage: "file of the signing keys; made when missing (default: beside the database)"},
	{name: "trusted-proxies", usage: "networks of proxies whose X-Forwarded-For is believed, separated by commas", example: "10.0.0.0/8"},
	{name: "unlimited", value: "127.0.0.0/8,::1/128", usage: "networks whose direct connections are not rate limited, separated by commas"},
	{name: "edit-window", value: "30m", usage: "how long a comment may be edited by its author"},
	{name: "templates", usage: "folder with templates that replace the built-in ones"},
	{name: "log-level", value: "info", usage: "debug, info, warn or error"},
	{name: "log-format", value: "text", usage: "text or json"},
	{name: "sample", value: "true", usage: "put the sample article into an empty database when serving"},
}

// config is the effective configuration.
type config struct {
	values  map[string]string
	sources map[string]string
}

func addSettings(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration file in TOML (default: postil.toml, if there is one)")
	for _, s := range settings {
		flags.String(s.name, s.value, s.usage+" [POSTIL_"+envName(s.name)+"]")
	}
}

func envName(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// loadConfig finds each setting in the flags, else in the environment, else in
// the file, else takes its default.
func loadConfig(flags *pflag.FlagSet) (config, error) {
	cfg := config{map[string]string{}, map[string]string{}}
	fromFile, path, err := loadFile(flags)
	if err != nil {
		return cfg, err
	}
	fromEnv := koanf.New(".")
	err = fromEnv.Load(env.Provider(".", env.Opt{Prefix: "POSTIL_", TransformFunc: func(k, v string) (string, any) {
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(k, "POSTIL_")), "_", "-"), v
	}}), nil)
	if err != nil {
		return cfg, err
	}
	for _, s := range settings {
		switch flag := flags.Lookup(s.name); {
		case flag != nil && flag.Changed:
			cfg.values[s.name], cfg.sources[s.name] = flag.Value.String(), "flag --"+s.name
		case fromEnv.Exists(s.name):
			cfg.values[s.name], cfg.sources[s.name] = fromEnv.String(s.name), "environment POSTIL_"+envName(s.name)
		case fromFile.Exists(s.name):
			cfg.values[s.name], cfg.sources[s.name] = fmt.Sprint(fromFile.Get(s.name)), "file "+path
		default:
			cfg.values[s.name], cfg.sources[s.name] = s.value, "default"
		}
	}
	return cfg, cfg.check()
}

func loadFile(flags *pflag.FlagSet) (*koanf.Koanf, string, error) {
	k := koanf.New(".")
	path, named := os.Getenv("POSTIL_CONFIG"), true
	if flag := flags.Lookup("config"); flag != nil && flag.Changed {
		path = flag.Value.String()
	}
	if path == "" {
		path, named = "postil.toml", false
	}
	if _, err := os.Stat(path); err != nil {
		if !named {
			return k, path, nil
		}
		return k, path, usageError{fmt.Errorf("the configuration file %s cannot be read: %w", path, err)}
	}
	if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
		return k, path, usageError{fmt.Errorf("the configuration file %s is not valid TOML: %w", path, err)}
	}
	known := map[string]bool{}
	for _, s := range settings {
		known[s.name] = true
	}
	for _, name := range k.Keys() {
		if !known[name] {
			return k, path, usageError{fmt.Errorf("the configuration file %s sets %q, which is not a setting; postil config lists them", path, name)}
		}
	}
	return k, path, nil
}

func (c config) check() error {
	if u := c.publicURL(); u != "" {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Path != "" || parsed.RawQuery != "" {
			return usageError{fmt.Errorf("public-url is %q; it must be http:// or https:// and a host, without a path", u)}
		}
	}
	if _, _, err := net.SplitHostPort(c.values["addr"]); err != nil {
		return usageError{fmt.Errorf("addr is %q; give HOST:PORT, such as 127.0.0.1:8080", c.values["addr"])}
	}
	if d, err := time.ParseDuration(c.values["edit-window"]); err != nil || d <= 0 {
		return usageError{fmt.Errorf("edit-window is %q; give a duration above zero, such as 30m or 2h", c.values["edit-window"])}
	}
	for _, name := range []string{"trusted-proxies", "unlimited"} {
		if _, err := parseNetworks(c.values[name]); err != nil {
			return usageError{fmt.Errorf("%s: %w", name, err)}
		}
	}
	if !oneOf(c.values["log-format"], "text", "json") {
		return usageError{fmt.Errorf("log-format is %q; it may be text or json", c.values["log-format"])}
	}
	if !oneOf(c.values["sample"], "true", "false") {
		return usageError{fmt.Errorf("sample is %q; it may be true or false", c.values["sample"])}
	}
	if new(slog.Level).UnmarshalText([]byte(c.values["log-level"])) != nil {
		return usageError{fmt.Errorf("log-level is %q; it may be debug, info, warn or error", c.values["log-level"])}
	}
	return nil
}

func oneOf(text string, allowed ...string) bool {
	for _, a := range allowed {
		if text == a {
			return true
		}
	}
	return false
}

func parseNetworks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.0.0.0/8", part)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

func (c config) publicURL() string { return strings.TrimSuffix(c.values["public-url"], "/") }

func (c config) editWindow() time.Duration {
	d, _ := time.ParseDuration(c.values["edit-window"]) // checked
	return d
}

// keysPath is where the signing keys are: beside the database unless said
// otherwise.
func (c config) keysPath() string {
	if path := c.values["keys"]; path != "" {
		return path
	}
	db := sqlitePath(c)
	if strings.Contains(db, "://") {
		return "postil.keys" // the database is elsewhere, and its address may hold a password
	}
	return filepath.Clean(db) + ".keys"
}

func newLogger(c config, out io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.values["log-level"])) // checked
	options := &slog.HandlerOptions{Level: level}
	if c.values["log-format"] == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// configCommand prints the effective configuration and where each value is from.
func configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the effective settings and where each comes from",
		Long:  "Settings come from flags, else from POSTIL_… in the environment, else from the file, else they have a default. No setting is required.",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd.Flags())
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "SETTING\tVALUE\tSOURCE")
			for _, s := range settings {
				value := cfg.values[s.name]
				switch {
				case s.name == "keys":
					value = cfg.keysPath()
				case s.name == "db":
					value = maskPassword(value)
				case value == "":
					value = "–"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, value, cfg.sources[s.name])
			}
			return w.Flush()
		},
	}
}

// maskPassword hides the password of a database URL.
func maskPassword(db string) string {
	u, err := url.Parse(db)
	if err != nil || u.User == nil {
		return db
	}
	if _, has := u.User.Password(); !has {
		return db
	}
	u.User = url.UserPassword(u.User.Username(), "xxxxx")
	return u.String()
}
