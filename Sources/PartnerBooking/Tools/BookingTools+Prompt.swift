extension BookingTools {
    /// The rules for a model that uses these tools on the phone. They are English text for the
    /// model's prompt. The host adds its own greeting and rules.
    public var prompt: String {
        var text = """
            You book appointments on the phone with tools.
            - Ask one question at a time, in short sentences.
            - Pass on the caller's own words about days and times. Never work out a date.
            - Offer only times of the last result, in its words. Never invent or change one.

            """
        if locale == .spanish {
            text += "- Speak Spanish, and pass on the caller's Spanish words.\n"
        } else if locale == .french {
            text += "- Speak French, and pass on the caller's French words.\n"
        }
        text +=
            readsBack
            ? "- Before booking, read time, name and phone back, and wait for a clear yes.\n"
            : "- Book as soon as the caller has chosen a time and you know their name.\n"
        text += """
            - Interrupted, or no result? You do not know what happened: call the tool again.
            - Say that it is booked only after booked or already.
            - If the result's say was spoken to the caller, do not repeat it.
            What each result means:
            offered: offer these times.
            none: nothing is free then; offer the nearest day given.
            unclear: ask the question given.
            invalid: ask for what is missing or wrong.
            not_offered: no such slot; offer the times listed.

            """
        if readsBack {
            text += "readback: not booked yet; read it back, and after a yes call again with caller_confirmed true.\n"
        }
        text += """
            held: nothing was done; call again.
            booked: done; say day and time as given.
            already: that was booked before; do not book again.
            slot_gone: taken meanwhile; offer the times listed.
            in_doubt: say it is being confirmed; call again unchanged. Never say it failed.
            failed: say what is given, and offer a call back.
            """
        if looksUpCaller { text += "\nknown: a customer has this number; ask for the name. not_known: ask for the name." }
        return text
    }

    /// A phrase for the caller while a tool takes long, in the caller's language.
    public var filler: String { locale.tools.filler.description }
}
