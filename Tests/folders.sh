#!/bin/sh
# Fails if a folder of Sources/PartnerBooking uses a folder that comes after it.
#
# The compiler decides: it type-checks the folders of each prefix of the order alone.
# Usage: Tests/folders.sh [swiftc]
set -eu
cd "$(dirname "$0")/../Sources"
swiftc=${1:-swiftc}
# From the ground up. docs/architecture.md describes them.
order="Messages System Zones JSON Contract Request Locales Phones Slots Speech Wishes Tools Transport Webhook Endpoint Conversations Observation Ledger Sandbox Completion Delivery Configuration TypedAPI"

for folder in PartnerBooking/*/; do
    folder=$(basename "$folder")
    case " $order " in
    *" $folder "*) ;;
    *) echo "$folder is not in the order of Tests/folders.sh" >&2; exit 1 ;;
    esac
done

lower=
for folder in $order; do
    own=
    for file in PartnerBooking/"$folder"/*.swift; do own="$own -primary-file $file"; done
    # The bodies of the lower folders were checked in their own turn.
    # shellcheck disable=SC2086  # no blanks in our file names
    "$swiftc" -frontend -typecheck -swift-version 6 -package-name partnerbooking -module-name PartnerBooking \
        -parse-as-library -I ../Tests/fuzz $own $lower ||
        { echo "$folder uses something that comes after it in the order of Tests/folders.sh" >&2; exit 1; }
    lower="$lower $(echo PartnerBooking/"$folder"/*.swift)"
done
echo "folders: 0 upward references in $(echo "$order" | wc -w) folders"
