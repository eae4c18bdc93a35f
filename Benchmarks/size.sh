#!/bin/sh
# What Foundation would cost: builds the shared object as it is, and again from a copy whose ABI also reads JSON with
# FoundationEssentials' JSONDecoder and writes a date with it, and prints both sizes, stripped.
set -eu
cd "$(dirname "$0")/.."
copy=build/size
version=$(sed -n 's/^#define PBK_VERSION "\(.*\)"/\1/p' include/partnerbooking.h)

make --no-print-directory lib >/dev/null
rm -rf "$copy"
mkdir -p "$copy"
cp -R Makefile Package.swift Sources include Tests packaging scripts "$copy"
cat >"$copy/Sources/PartnerBookingABI/Probe.swift" <<'END'
import FoundationEssentials

struct Slot: Codable { var start_at: Date; var duration_minutes: Int }

@_cdecl("pbk_probe") public func pbk_probe() -> Int {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    let slots = try? decoder.decode([Slot].self, from: Data("[]".utf8))
    return (slots ?? []).reduce(0) { $0 + $1.start_at.formatted(.iso8601).count + $1.duration_minutes }
}
END
make --no-print-directory -C "$copy" lib >/dev/null

for tree in . "$copy"; do
    file=$tree/build/lib/libpartnerbooking.so.$version
    what="without Foundation (as shipped)"
    [ "$tree" = . ] || what="with FoundationEssentials"
    printf '%-34s %5.2f MB\n' "$what" "$(wc -c <"$file" | awk '{ print $1 / 1e6 }')"
done
