// Command postil is the whole of Postil: the server and the tools beside it.
//
// This package turns flags, environment and arguments into calls, wires the
// rooms together and owns the configuration. What it does beyond that is said
// in the Store.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"postil/models"
	"postil/transfer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with everything it touches as parameters.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(errs, "postil: interrupted. What was finished stays; run the command again for the rest.")
		return exitInterrupted
	}
	if err != nil {
		fmt.Fprintln(errs, "postil:", wordError(err))
	}
	return exitCode(err)
}

// Exit codes, listed by postil exit-codes.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2 // the command line, a setting or the input is wrong
	exitUnavailable = 3 // the database cannot be opened or written
	exitNotFound    = 4
	exitConflict    = 5
	exitUnsound     = 6   // doctor found something
	exitInterrupted = 130 // as shells have it for Ctrl-C
)

var errUnsound = errors.New("doctor found something that needs a hand")

// usageError is a mistake on the command line.
type usageError struct{ error }

func exitCode(err error) int {
	var usage usageError
	var file *transfer.Error
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUnsound):
		return exitUnsound
	case errors.As(err, &usage), errors.As(err, &file):
		return exitUsage
	}
	switch models.KindOf(err) {
	case models.Invalid, models.Unauthorized, models.Forbidden:
		return exitUsage
	case models.Unavailable:
		return exitUnavailable
	case models.NotFound:
		return exitNotFound
	case models.Conflict, models.Stale:
		return exitConflict
	}
	return exitInternal
}

// wordError says what is wrong in one or a few lines.
func wordError(err error) string {
	var known *models.Error
	if !errors.As(err, &known) {
		return err.Error()
	}
	text := known.Message
	for _, f := range known.Fields {
		text += fmt.Sprintf("\n  %s %s", f.Field, f.Message)
	}
	if known.Cause != nil {
		text += fmt.Sprintf("\n  (%v)", known.Cause)
	}
	return text
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "postil",
		Short: "A discussion in the margin of your articles",
		Long: `Postil serves articles and keeps the discussion attached to them: readers
comment, moderators decide, authors revise. One program, one database file.

Start here:

  postil serve          creates postil.db with a sample article and serves it
  postil user add NAME  makes an account
  postil doctor         tells whether all is well, and what to do if not`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\n  See: %s --help", err, cmd.CommandPath())}
	})
	addSettings(root.PersistentFlags())
	group(root, serveCommand(), initCommand(), migrateCommand(), userCommand(), importCommand(), doctorCommand(), configCommand(), versionCommand(), benchCommand(), exitCodesTopic())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the program's exit codes mean",
		Long: `0  done
1  something went wrong inside; the message says what
2  the command line, a setting or the input is wrong; nothing was done
3  the database cannot be opened or written
4  what was named does not exist
5  it clashes with what is there
6  doctor found something that needs a hand
130  interrupted before it was done; what was finished stays`,
	}
}

// group makes a command that holds others and does nothing by itself.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "\n  Did you mean: " + cmd.CommandPath() + " " + near[0]
		}
		return usageError{fmt.Errorf("%q is not a command of %s%s\n  See: %s --help", args[0], cmd.CommandPath(), hint, cmd.CommandPath())}
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return cmd.Help() }
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}

// exactly checks the number of arguments and names what is missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(args) < len(names) {
			return usageError{fmt.Errorf("%s is missing\n  Usage: %s", names[len(args)], cmd.UseLine())}
		}
		return usageError{fmt.Errorf("%q is one argument too many\n  Usage: %s", args[len(names)], cmd.UseLine())}
	}
}

// withStore runs a command on the configured database.
func withStore(cmd *cobra.Command, do func(context.Context, *models.Store) error) error {
	cfg, err := loadConfig(cmd.Flags())
	if err != nil {
		return err
	}
	store, err := openStore(cmd.Context(), cfg, newLogger(cfg, cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	return errors.Join(do(cmd.Context(), store), store.Close())
}
