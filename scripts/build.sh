# Sourced by demo and lab: brings build/ up to date, quietly unless it fails.
# TANDEM_BUILD names another build directory.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TANDEM_BUILD=${TANDEM_BUILD:-$root/build}
export TANDEM_BUILD PYTHONDONTWRITEBYTECODE=1
build_log=$(mktemp)
if ! {
	{ [ -e "$TANDEM_BUILD/build.ninja" ] || meson setup "$TANDEM_BUILD" "$root"; } &&
		ninja -C "$TANDEM_BUILD" daemon/tandem
} >"$build_log" 2>&1; then
	cat "$build_log" >&2
	rm -f "$build_log"
	exit 1
fi
rm -f "$build_log"
