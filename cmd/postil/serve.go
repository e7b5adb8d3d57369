package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/spf13/cobra"

	"postil/auth"
	"postil/handlers"
	"postil/models"
	"postil/templates"
)

func openStore(ctx context.Context, cfg config, log *slog.Logger) (*models.Store, error) {
	return models.Open(ctx, cfg.values["db"], models.Config{Log: log, EditWindow: cfg.editWindow()})
}

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the articles and their discussions",
		Long: `Serves pages at / and the JSON API at /api/v1.

A missing database is created and gets a sample article with a short
discussion (--sample=false leaves it empty). While there is no admin, a link
is printed that makes the first one; it works once.

Stop it with Ctrl-C or SIGTERM: requests in flight are finished first.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(cmd.Flags())
			if err != nil {
				return err
			}
			return serve(cmd, cfg)
		},
	}
}

func serve(cmd *cobra.Command, cfg config) error {
	gin.SetMode(gin.ReleaseMode)
	ctx, log := cmd.Context(), newLogger(cfg, cmd.ErrOrStderr())
	store, err := openStore(ctx, cfg, log)
	if ctx.Err() != nil {
		return nil // told to stop before it had begun
	}
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			log.Error("close database", "error", err)
		}
	}()
	if cfg.values["sample"] == "true" {
		if err := offerSample(ctx, cfg, store, log); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", cfg.values["addr"])
	if err != nil {
		return &models.Error{Kind: models.Unavailable, Message: fmt.Sprintf("Cannot listen on %s. Another program may use it; choose another with --addr HOST:PORT.", cfg.values["addr"]), Cause: err}
	}
	handler, err := newHandler(cfg, store, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := greet(cmd, cfg, store, listener.Addr().String()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveUntilDone(ctx, listener, handler, store, log)
}

func newHandler(cfg config, store *models.Store, log *slog.Logger) (http.Handler, error) {
	keys, err := auth.LoadKeys(cfg.keysPath())
	if err != nil {
		return nil, err
	}
	var overrides fs.FS
	if folder := cfg.values["templates"]; folder != "" {
		overrides = os.DirFS(folder)
	}
	renderer, err := templates.New(overrides)
	if err != nil {
		return nil, err
	}
	unlimited, err := parseNetworks(cfg.values["unlimited"])
	if err != nil {
		return nil, err
	}
	proxies, err := parseNetworks(cfg.values["trusted-proxies"])
	if err != nil {
		return nil, err
	}
	var trusted []string
	for _, p := range proxies {
		trusted = append(trusted, p.String())
	}
	return handlers.New(handlers.Config{
		Store: store, Renderer: renderer, Log: log, Now: time.Now, Version: version(),
		Tokens:  auth.Tokens{Keys: keys, Issuer: "postil", Audience: "postil-api", TTL: 10 * time.Minute},
		Site:    templates.Site{Name: cfg.values["site-name"], URL: cfg.publicURL()},
		Proxies: trusted, Unlimited: unlimited, Rates: handlers.DefaultRates,
	})
}

// greet prints the address and, while there is no admin, the link that makes
// the first one.
func greet(cmd *cobra.Command, cfg config, store *models.Store, addr string) error {
	base := "http://" + addr
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "Postil %s\n  listening on  %s\n  database      %s\n", version(), base, maskPassword(store.Describe()))
	if cfg.publicURL() != "" {
		base = cfg.publicURL()
		fmt.Fprintf(out, "  readers use   %s\n", base)
	}
	token, err := store.SetupToken(cmd.Context())
	if err != nil {
		return err
	}
	if token != "" {
		fmt.Fprintf(out, "\nThere is no admin yet. This link makes the first one; it works once:\n  %s/setup?token=%s\n", base, token)
	}
	return nil
}

// serveUntilDone serves until the context ends, then lets requests in flight
// finish.
func serveUntilDone(ctx context.Context, listener net.Listener, handler http.Handler, store *models.Store, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	swept := make(chan struct{})
	sweeping, stopSweeping := context.WithCancel(ctx)
	go func() {
		defer close(swept)
		sweepHourly(sweeping, store, log)
	}()
	defer func() {
		stopSweeping()
		<-swept
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: finishing requests in flight")
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("some requests were cut off", "error", err)
		return server.Close()
	}
	return nil
}

// sweepHourly removes sessions and counters that ran out.
func sweepHourly(ctx context.Context, store *models.Store, log *slog.Logger) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if _, err := store.Sweep(ctx); err != nil {
				log.Warn("sweep failed", "error", err)
			}
		}
	}
}
