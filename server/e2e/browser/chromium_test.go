package browser_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

// chromium is the one that all tests share; starting one costs a second or two. Each profile in it has cookies of its own.
var chromium struct {
	sync.Once
	ctx context.Context
	err error
	end func()
}

// chromiumPath is the program: Debian's headless shell, a browser without tabs and menus, where there is one. It is faster.
var chromiumPath = func() string {
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}()

// profiles are those of people who have logged in, by database and login.
var profiles = map[string]context.Context{}

// startChromium starts it, for as long as the test binary runs.
func startChromium() {
	var dir string
	if dir, chromium.err = os.MkdirTemp("", "chromium"); chromium.err != nil {
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromiumPath), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		// What visitors read, where Odoo has it: TestRealBrowserGerman. Everywhere else it has English alone.
		chromedp.Flag("accept-lang", "de-DE"),
		chromedp.Env("TZ=UTC"), // Odoo takes it for the person's time zone at their first login: TestRealBrowserFirstSteps
		chromedp.UserDataDir(dir), chromedp.WindowSize(1400, 900))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	chromium.ctx, chromium.err = ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	chromium.end = func() {
		end()
		endAllocator()
		_ = os.RemoveAll(dir)
	}
}

// newProfile is a browser that has never been anywhere.
func newProfile(t *testing.T) context.Context {
	t.Helper()
	if chromiumPath == "" {
		t.Skip("needs chromium-headless-shell or chromium: make deps installs it")
	}
	chromium.Do(startChromium)
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	profile, _ := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext()) // ends with the browser
	if err := chromedp.Do(profile, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return profile
}

// tab opens a page in a profile, and closes it at the end of the test.
func tab(t *testing.T, profile context.Context, o *kit.Odoo) *page {
	t.Helper()
	ctx, end := chromedp.NewContext(profile)
	t.Cleanup(end)
	p := &page{t, ctx, o}
	// A tab lives as long as the context of the first call: its time limit comes after.
	p.do(chromedp.EmulateViewport(1400, 900))
	var cancel func()
	p.ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	return p
}

func TestMain(m *testing.M) {
	kit.Prepare(`env["ir.qweb"]._pregenerate_assets_bundles()`) // else each database compiles Odoo's scripts and styles anew
	kit.Main(m, func() {
		if chromium.end != nil {
			chromium.end()
		}
	})
}
