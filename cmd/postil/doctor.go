package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postil/auth"
	"postil/models"
)

// finding is one thing that doctor looked at.
type finding struct {
	what string
	ok   bool
	text string // how it is
	todo string // what to do when it is not well
}

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the installation and say what to do",
		Long:  "Checks the database and its counters, the folder, the keys, the clock, the address and the proxy settings. It changes nothing; only an older schema is brought up to date, as by every command.",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd.Flags())
			if err != nil {
				return err
			}
			sound := true
			for _, f := range examine(cmd.Context(), cfg, cmd) {
				mark := "ok  "
				if !f.ok {
					mark, sound = "LOOK", false
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %-9s %s\n", mark, f.what, f.text)
				if !f.ok {
					fmt.Fprintf(cmd.OutOrStdout(), "                → %s\n", f.todo)
				}
			}
			if !sound {
				return errUnsound
			}
			return nil
		},
	}
}

func examine(ctx context.Context, cfg config, cmd *cobra.Command) []finding {
	findings := []finding{checkFolder(cfg)}
	rest := []finding{checkKeys(cfg), checkClock(), checkAddress(cfg), checkProxies(cfg)}
	if path := sqlitePath(cfg); !exists(path) {
		missing := finding{"database", false, "there is none at " + path, "Make it with postil serve or postil init, or name the right one with --db."}
		return append(append(findings, missing), rest...)
	}
	store, err := openStore(ctx, cfg, newLogger(cfg, cmd.ErrOrStderr()))
	if err != nil {
		findings = append(findings, finding{"database", false, wordError(err), "Mend this first; nothing else can be checked before."})
	} else {
		findings = append(findings, checkDatabase(ctx, store), checkAdmin(ctx, store))
		_ = store.Close() // it was only read
	}
	return append(findings, rest...)
}

// sqlitePath is the file of an SQLite database.
func sqlitePath(cfg config) string {
	if path, named := strings.CutPrefix(cfg.values["db"], "sqlite:"); named {
		return strings.TrimPrefix(path, "//")
	}
	return cfg.values["db"]
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !os.IsNotExist(err)
}

func checkFolder(cfg config) finding {
	folder := filepath.Dir(sqlitePath(cfg))
	f, err := os.CreateTemp(folder, ".postil-doctor-*")
	if err != nil {
		return finding{"folder", false, fmt.Sprintf("%s cannot be written: %v", folder, err), "Let the user that runs postil write there, or put the database elsewhere with --db."}
	}
	name := f.Name()
	_ = f.Close()
	_ = os.Remove(name)
	return finding{what: "folder", ok: true, text: folder + " can be written"}
}

func checkDatabase(ctx context.Context, store *models.Store) finding {
	wrong, err := store.Check(ctx)
	if err != nil {
		return finding{"database", false, err.Error(), "Restore the latest backup, or ask for help with this message."}
	}
	if len(wrong) > 0 {
		return finding{"database", false, strings.Join(wrong, "; "), "Stop the server, copy the database file aside and restore the latest backup."}
	}
	return finding{what: "database", ok: true, text: store.Describe() + " is sound, its schema up to date, its counters right"}
}

func checkAdmin(ctx context.Context, store *models.Store) finding {
	admins, _, err := store.Users(ctx, models.System(), models.UserFilter{Role: models.Admin}, models.Page{Limit: 1})
	if err != nil || len(admins) == 0 {
		return finding{"admin", false, "there is no admin", "Open the link that postil serve prints, or run: postil user add NAME --role admin"}
	}
	return finding{what: "admin", ok: true, text: "there is an admin"}
}

func checkKeys(cfg config) finding {
	if _, err := os.Stat(cfg.keysPath()); os.IsNotExist(err) {
		return finding{what: "keys", ok: true, text: cfg.keysPath() + " will be made at the first start"}
	}
	if _, err := auth.LoadKeys(cfg.keysPath()); err != nil {
		return finding{"keys", false, err.Error(), "Mend the file, or delete it: programs then have to refresh their tokens once."}
	}
	return finding{what: "keys", ok: true, text: cfg.keysPath() + " is there and private"}
}

// checkClock finds a clock that was never set: tokens and dates depend on it.
func checkClock() finding {
	if now := time.Now(); now.Year() < 2026 {
		return finding{"clock", false, "the clock says " + now.Format(time.DateTime), "Set the clock; a time service keeps it right."}
	}
	return finding{what: "clock", ok: true, text: time.Now().UTC().Format("2006-01-02 15:04:05 UTC")}
}

func checkAddress(cfg config) finding {
	host, _, _ := net.SplitHostPort(cfg.values["addr"]) // checked when the configuration was read
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch public := cfg.publicURL(); {
	case !loopback && public == "":
		return finding{"address", false, cfg.values["addr"] + " is open to the network, and public-url is not set", "Put a proxy with TLS in front and set --public-url https://…, so that cookies are Secure."}
	case strings.HasPrefix(public, "http://") && !loopback:
		return finding{"address", false, public + " has no TLS", "Passwords would cross the network in the open: use https."}
	}
	return finding{what: "address", ok: true, text: cfg.values["addr"] + " " + cfg.publicURL()}
}

func checkProxies(cfg config) finding {
	trusted := cfg.values["trusted-proxies"]
	networks, _ := parseNetworks(trusted) // checked when the configuration was read
	for _, n := range networks {
		if n.Bits() == 0 {
			return finding{"proxies", false, "trusted-proxies believes everybody", "Name only your proxy's network: otherwise anybody can pose as any address."}
		}
	}
	if trusted == "" && strings.HasPrefix(cfg.publicURL(), "https://") {
		return finding{"proxies", false, "public-url is https, so a proxy is in front, and trusted-proxies is not set", "Set --trusted-proxies to the proxy's network; without it all readers share one address and its limits."}
	}
	if trusted == "" {
		trusted = "none are believed"
	}
	return finding{what: "proxies", ok: true, text: trusted}
}
