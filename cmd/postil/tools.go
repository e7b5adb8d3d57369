package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"postil/auth"
	"postil/models"
	"postil/transfer"
)

// release is set by the linker when a release is built.
var release = ""

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development build"
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "postil %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func initCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Create the database, the signing keys and a commented postil.toml",
		Long: `Creates what postil serve would create by itself, without the sample, so that
it can be looked at and changed before the first start.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				cfg, err := loadConfig(cmd.Flags())
				if err != nil {
					return err
				}
				if _, err := auth.LoadKeys(cfg.keysPath()); err != nil {
					return err
				}
				if err := store.MarkSample(ctx); err != nil {
					return err
				}
				wrote, err := writeConfigFile("postil.toml", force)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				fmt.Fprintf(out, "database  %s\nkeys      %s\n", store.Describe(), cfg.keysPath())
				if wrote {
					fmt.Fprintln(out, "settings  postil.toml (every line is a comment; no setting is required)")
				} else {
					fmt.Fprintln(out, "settings  postil.toml was there and stays as it is")
				}
				again := ""
				if strings.HasPrefix(cfg.sources["db"], "flag") {
					again = " --db " + cfg.values["db"]
				}
				fmt.Fprintf(out, "\nNext: postil user add NAME --role admin%s, then postil serve%s\n", again, again)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "write postil.toml anew even if it is there")
	return cmd
}

// writeConfigFile writes a settings file in which everything is a comment.
func writeConfigFile(path string, force bool) (bool, error) {
	if _, err := os.Stat(path); err == nil && !force {
		return false, nil
	}
	var b strings.Builder
	b.WriteString("# Settings of Postil. Flags and POSTIL_… in the environment win over this file.\n# None is required; remove the # in front of those you change.\n")
	for _, s := range settings {
		value := s.value
		if value == "" {
			value = s.example
		}
		fmt.Fprintf(&b, "\n# %s\n# %s = %q\n", s.usage, s.name, value)
	}
	return true, os.WriteFile(path, []byte(b.String()), 0o640)
}

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long: `Every command does this by itself when it opens the database; this one does
nothing else. A database that exists is copied aside first.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is up to date.\n", store.Describe())
				return err
			})
		},
	}
}

func userCommand() *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Add, list and change accounts"},
		userAddCommand(), userListCommand(), userRoleCommand(), userPasswordCommand(), userSuspendCommand())
}

func userAddCommand() *cobra.Command {
	var in models.AddUserInput
	var role string
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an account",
		Long:  "Makes an account. Without --password-stdin a password is made up and printed once.",
		Args:  exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Username, in.Role = args[0], models.Role(role)
			password, generated, err := passwordFor(cmd, fromStdin)
			if err != nil {
				return err
			}
			in.Password = password
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				user, err := store.AddUser(ctx, models.System(), in)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is now %s.\n", user.Username, withArticle(string(user.Role)))
				if generated {
					fmt.Fprintf(cmd.OutOrStdout(), "password: %s\n", password)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&in.Email, "email", "", "e-mail address")
	cmd.Flags().StringVar(&in.DisplayName, "display-name", "", "name that is shown (default: NAME)")
	cmd.Flags().StringVar(&role, "role", string(models.Reader), "reader, author, moderator or admin")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func withArticle(role string) string {
	if strings.HasPrefix(role, "a") {
		return "an " + role
	}
	return "a " + role
}

// passwordFor reads a password from standard input, or makes one up.
func passwordFor(cmd *cobra.Command, fromStdin bool) (password string, generated bool, err error) {
	if !fromStdin {
		return auth.NewToken("")[:24], true, nil
	}
	text, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(text, "\r\n"), false, nil
}

func userListCommand() *cobra.Command {
	var filter models.UserFilter
	var role string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List accounts, newest first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter.Role = models.Role(role)
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NAME\tROLE\tE-MAIL\tSINCE\tCOMMENTS\tSUSPENDED")
				for page := (models.Page{Limit: models.MaxPage}); ; {
					users, next, err := store.Users(ctx, models.System(), filter, page)
					if err != nil {
						return err
					}
					for _, u := range users {
						suspended := "–"
						if u.IsSuspended(models.At(time.Now())) {
							suspended = untilWords(u)
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", u.Username, u.Role, u.Email, u.CreatedAt.Time().Format(time.DateOnly), u.ApprovedCount, suspended)
					}
					if page.Cursor = next; next == "" {
						return w.Flush()
					}
				}
			})
		},
	}
	cmd.Flags().StringVar(&filter.Query, "query", "", "only those with this in a name or e-mail address")
	cmd.Flags().StringVar(&role, "role", "", "only those with this role")
	return cmd
}

func userRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "role NAME ROLE",
		Short: "Change an account's role; it counts from the next request on",
		Args:  exactly("NAME", "ROLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				user, err := store.SetRole(ctx, models.System(), args[0], models.Role(args[1]))
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s is now %s.\n", user.Username, withArticle(string(user.Role)))
				}
				return err
			})
		},
	}
}

func userPasswordCommand() *cobra.Command {
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Give an account a new password; its sessions end",
		Args:  exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, generated, err := passwordFor(cmd, fromStdin)
			if err != nil {
				return err
			}
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				user, err := store.SetPassword(ctx, models.System(), args[0], password)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s has a new password and is signed out everywhere.\n", user.Username)
				if generated {
					fmt.Fprintf(cmd.OutOrStdout(), "password: %s\n", password)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func userSuspendCommand() *cobra.Command {
	var in models.SuspendInput
	var lift bool
	cmd := &cobra.Command{
		Use:   "suspend NAME",
		Short: "Take an account out of use for a time, or for good; its sessions end",
		Args:  exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				if lift {
					user, err := store.Unsuspend(ctx, models.System(), args[0])
					if err == nil {
						fmt.Fprintf(cmd.OutOrStdout(), "%s may sign in again.\n", user.Username)
					}
					return err
				}
				user, err := store.Suspend(ctx, models.System(), args[0], in)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s is suspended: %s.\n", user.Username, untilWords(user))
				}
				return err
			})
		},
	}
	cmd.Flags().IntVar(&in.Days, "days", 0, "for how many days; 0 is for good")
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why; the account's owner is told")
	cmd.Flags().BoolVar(&lift, "lift", false, "end the suspension")
	return cmd
}

// untilWords is how long an account is suspended.
func untilWords(u models.User) string {
	until := u.SuspendedUntil.Time()
	if until.Year() >= 9999 {
		return "for good"
	}
	return "until " + until.Format(time.DateOnly)
}

func importCommand() *cobra.Command {
	return group(&cobra.Command{Use: "import", Short: "Bring articles and discussions in from elsewhere"}, importWXRCommand(), importMarkdownCommand())
}

func importWXRCommand() *cobra.Command {
	var opts transfer.Options
	cmd := &cobra.Command{
		Use:   "wxr FILE",
		Short: "Import a WordPress export (WXR), with its comments",
		Long: `Imports posts and pages with their comments. The file is read once to check
it, then again to write it: a broken file changes nothing. Repeating an import
adds only what is new.`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Stat(args[0]); err != nil {
				return usageError{fmt.Errorf("%s cannot be read: %w", args[0], err)}
			}
			bar := progress(cmd, "importing")
			opts.Progress = func(done, total int64, note string) {
				bar.ChangeMax64(total)
				_ = bar.Set64(done) // a progress bar that cannot be drawn is no reason to stop
			}
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				report, err := transfer.ImportWXR(ctx, store, models.System(), args[0], opts)
				_ = bar.Finish()
				if err != nil {
					return err
				}
				_, err = report.WriteTo(cmd.OutOrStdout())
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "print what would be done and do nothing")
	cmd.Flags().BoolVar(&opts.IncludeUnpublished, "include-unpublished", false, "import drafts and private posts too, as drafts")
	return cmd
}

// progress draws a bar on a terminal, and nothing when errors go to a file.
func progress(cmd *cobra.Command, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(1, progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(cmd.ErrOrStderr()), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetVisibility(isTerminal(cmd.ErrOrStderr())))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func importMarkdownCommand() *cobra.Command {
	var author string
	var publish, dryRun bool
	cmd := &cobra.Command{
		Use:   "markdown FILE",
		Short: "Import a Markdown file with front matter as an article",
		Long: `Front matter may give title, slug, standfirst, tags, state and comment_policy.
A file whose slug is there already becomes a new revision of that article, if
its text differs.`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usageError{fmt.Errorf("%s cannot be read: %w", args[0], err)}
			}
			defer f.Close()
			input, info, err := transfer.ReadMarkdown(filepath.Base(args[0]), f)
			if err != nil {
				return err
			}
			if publish {
				input.State = models.Published
			}
			if author == "" {
				author = info.Author
			}
			return withStore(cmd, func(ctx context.Context, store *models.Store) error {
				return putMarkdown(ctx, cmd, store, author, input, dryRun)
			})
		},
	}
	cmd.Flags().StringVar(&author, "author", "", "user name of the author (default: the front matter's author)")
	cmd.Flags().BoolVar(&publish, "publish", false, "publish it at once")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done and do nothing")
	return cmd
}

// putMarkdown saves an article as its author, new or as a revision.
func putMarkdown(ctx context.Context, cmd *cobra.Command, store *models.Store, author string, in models.ArticleInput, dryRun bool) error {
	if author == "" {
		return usageError{errors.New("an article needs an author: give --author NAME, or author in the front matter")}
	}
	user, err := store.FindUser(ctx, author)
	if err != nil {
		return &models.Error{Kind: models.NotFound, Message: fmt.Sprintf("There is no account named %q. Make it with: postil user add %s --role author", author, author)}
	}
	actor := models.Actor{UserID: user.ID, Username: user.Username, DisplayName: user.DisplayName, Role: user.Role}
	out := cmd.OutOrStdout()
	old, err := store.Article(ctx, actor, in.Slug)
	isNew := in.Slug == "" || models.KindOf(err) == models.NotFound
	if err != nil && !isNew {
		return err
	}
	if dryRun {
		if isNew {
			_, err = fmt.Fprintf(out, "Would add the article %q by %s.\n", in.Title, user.Username)
		} else {
			_, err = fmt.Fprintf(out, "Would save %q as revision %d of %s, if its text differs.\n", in.Title, old.Revision+1, old.Slug)
		}
		return err
	}
	if isNew {
		art, err := store.CreateArticle(ctx, actor, in)
		if err == nil {
			fmt.Fprintf(out, "Added %q at /articles/%s (%s).\n", art.Title, art.Slug, art.State)
		}
		return err
	}
	change := models.ArticleChange{Title: &in.Title, Standfirst: &in.Standfirst, Body: &in.Body, Tags: &in.Tags, Message: "Imported from a file"}
	if in.State == models.Published {
		change.State = &in.State
	}
	art, err := store.UpdateArticle(ctx, actor, old.Slug, old.Revision, change)
	if err == nil && art.Revision == old.Revision {
		fmt.Fprintf(out, "%s is as it was; nothing was saved.\n", art.Slug)
	} else if err == nil {
		fmt.Fprintf(out, "Saved revision %d of %s.\n", art.Revision, art.Slug)
	}
	return err
}
