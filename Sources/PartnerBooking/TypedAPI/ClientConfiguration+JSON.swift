// Writes the typed configuration as JSON. Only the JSON reader knows defaults and rules.

extension ClientConfiguration {
    /// The JSON object that docs/json-contract.md describes. It contains the secrets.
    var json: [UInt8] {
        JSONWriter.object(capacity: 4_096) { root in
            write(endpoint, &root)
            root.member("timeout_ms", ifAny: timeout?.wholeMilliseconds)
            root.member("slow_after_ms", ifAny: slowAfter?.wholeMilliseconds)
            root.member("max_in_flight", ifAny: maxInFlight)
            root.member("max_queued", ifAny: maxQueued)
            root.member("max_reply_bytes", ifAny: maxReplyBytes)
            root.member("stats", ifAny: countsCalls)
            connections.write(&root)
            root.object("retry", retries.write)
            root.object("circuit_breaker", circuitBreaker.write)
            bookings.write(&root)
            if voice != Voice() { root.object("voice") { voice.write(&$0) } }
            platform.write(&root)
            if !platformByBot.isEmpty {
                root.object("bots") { bots in
                    for (bot, rules) in platformByBot.sorted(by: { $0.key < $1.key }) {
                        bots.object(named: bot, rules.write)
                    }
                }
            }
            journal?.write(&root)
            ledger.write(&root)
        }
    }

    private func write(_ endpoint: ServiceEndpoint, _ root: inout JSONWriter) {
        switch endpoint {
        case .partnerAPI(let api):
            root.member("endpoint", "partner_api")
            api.write(&root)
        case .platformWebhook(let webhooks):
            root.member("endpoint", "platform_webhook")
            webhooks.write(&root)
        case .sandbox(let clinic):
            root.member("endpoint", "sandbox")
            clinic.partnerAPI?.write(&root)
            root.object("sandbox", clinic.write)
        }
    }
}

// MARK: - The endpoints

extension ClientConfiguration.PartnerAPI {
    fileprivate func write(_ root: inout JSONWriter) {
        root.member("api_key", apiKey)
        root.member("base_url", ifAny: baseURL)
        root.object("paths") { paths in
            paths.member("search_availability", ifAny: searchPath)
            paths.member("create_booking", ifAny: bookingPath)
        }
    }
}

extension ClientConfiguration.PlatformWebhooks {
    fileprivate func write(_ root: inout JSONWriter) {
        root.object("platforms") { object in
            for (bot, platform) in platforms.sorted(by: { $0.key < $1.key }) { object.object(named: bot, platform.write) }
        }
        root.member("private_hosts", ifAny: privateHosts.isEmpty ? nil : privateHosts)
        root.member("webhook_timeout_ms", ifAny: timeout?.wholeMilliseconds)
    }
}

extension ClientConfiguration.BotPlatform {
    fileprivate func write(_ platform: inout JSONWriter) {
        platform.member("account_id", accountID)
        platform.member("webhook_url", ifAny: webhookURL)
        platform.member("webhook_secret", ifAny: webhookSecrets.isEmpty ? nil : webhookSecrets)
        rules.write(&platform)
    }
}

extension ClientConfiguration.SandboxClinic {
    fileprivate func write(_ clinic: inout JSONWriter) {
        clinic.member("now", ifAny: now)
        if let openingHours {
            clinic.object("opening_hours") { days in
                for day in ClientConfiguration.Weekday.allCases { days.member(day.name, ifAny: openingHours[day]) }
            }
        }
        clinic.member("answer", ifAny: answer?.rawValue)
        clinic.member("time_zone", ifAny: timeZone)
        clinic.member("slot_minutes", ifAny: slotMinutes)
        clinic.member("min_notice_minutes", ifAny: minNotice?.wholeMinutes)
        clinic.member("days", ifAny: days)
        clinic.member("dates", ifAny: dates?.rawValue)
        clinic.member("capacity", ifAny: capacity)
        clinic.member("keys", ifAny: keys?.rawValue)
        clinic.member("in_work", ifAny: inWork?.rawValue)
        clinic.member("bots", ifAny: bots)
        clinic.member("api_key", ifAny: apiKey)
        clinic.member("latency_ms", ifAny: latency?.wholeMilliseconds)
        clinic.array("faults", faults) { $1.write(&$0) }
        clinic.member("seed", ifAny: seed)
    }
}

extension ClientConfiguration.Weekday {
    var name: StaticString {
        switch self {
        case .sunday: "sunday"
        case .monday: "monday"
        case .tuesday: "tuesday"
        case .wednesday: "wednesday"
        case .thursday: "thursday"
        case .friday: "friday"
        case .saturday: "saturday"
        }
    }
}

extension ClientConfiguration.Fault {
    fileprivate func write(_ fault: inout JSONWriter) {
        fault.member("fault", name)
        switch kind {
        case .loseRequest, .loseReply, .cuts, .ownConflict, .declined, .otherBooking, .emptyBooking, .errorInBooking: break
        case .late(let time), .queues(let time), .limits(let time), .slowDuplicate(let time), .inProgress(let time),
            .drops(let time), .cancelsLater(let time):
            fault.member("ms", time.wholeMilliseconds)
        case .error(let status, let code, let body, let contentType):
            fault.member("status", ifAny: status)
            fault.member("code", ifAny: code)
            fault.member("body", ifAny: body)
            fault.member("content_type", ifAny: contentType)
        case .respells(let isWrong): fault.member("wrong", ifAny: isWrong ? true : nil)
        case .errorAfter(let status): fault.member("status", ifAny: status)
        case .works(let time, let status):
            fault.member("ms", time.wholeMilliseconds)
            fault.member("status", ifAny: status)
        case .givesUp(let time, let work, let status):
            fault.member("ms", time.wholeMilliseconds)
            fault.member("work_ms", work.wholeMilliseconds)
            fault.member("status", ifAny: status)
        case .booksAs(let status): fault.member("booking_status", status)
        }
        fault.member("operation", ifAny: operation?.rawValue)
        fault.member("calls", ifAny: calls.isEmpty ? nil : calls)
        fault.member("percent", ifAny: percent)
    }

    private var name: String {
        switch kind {
        case .loseRequest: "lose_request"
        case .loseReply: "lose_reply"
        case .cuts: "cuts"
        case .queues: "queues"
        case .late: "late"
        case .error: "error"
        case .limits: "limits"
        case .respells: "respells"
        case .errorAfter: "error_after"
        case .slowDuplicate: "slow_duplicate"
        case .inProgress: "in_progress"
        case .works: "works"
        case .givesUp: "gives_up"
        case .drops: "drops"
        case .ownConflict: "own_conflict"
        case .declined: "declined"
        case .booksAs: "books_as"
        case .cancelsLater: "cancels_later"
        case .otherBooking: "other_booking"
        case .emptyBooking: "empty_booking"
        case .errorInBooking: "error_in_booking"
        }
    }
}

// MARK: - All others

extension ClientConfiguration.Connections {
    fileprivate func write(_ root: inout JSONWriter) {
        root.member("connect_timeout_ms", ifAny: timeout?.wholeMilliseconds)
        root.member("max_connections", ifAny: limit)
        root.member("max_streams_per_connection", ifAny: maxStreams)
        root.member("keep_warm_ms", ifAny: keepWarm?.wholeMilliseconds)
        root.object("tls") { $0.member("ca_file", ifAny: caFile) }
        root.member("proxy", ifAny: proxy)
    }
}

extension ClientConfiguration.Retries {
    fileprivate func write(_ retry: inout JSONWriter) {
        retry.member("max_attempts", ifAny: maxAttempts)
        retry.member("base_delay_ms", ifAny: baseDelay?.wholeMilliseconds)
        retry.member("max_delay_ms", ifAny: maxDelay?.wholeMilliseconds)
        retry.member("budget", ifAny: budget)
    }
}

extension ClientConfiguration.Breaker {
    fileprivate func write(_ breaker: inout JSONWriter) {
        breaker.member("failures", ifAny: failures)
        breaker.member("open_ms", ifAny: openTime?.wholeMilliseconds)
    }
}

extension ClientConfiguration.Bookings {
    fileprivate func write(_ root: inout JSONWriter) {
        root.member("booking_retention_minutes", ifAny: retention?.wholeMinutes)
        root.member("settle_for_ms", ifAny: settlingTime?.wholeMilliseconds)
        root.member("keys_shared", ifAny: areKeysShared)
        root.member("report_settled", ifAny: reportsSettled)
    }
}

extension ClientConfiguration.PlatformRules {
    fileprivate func write(_ rules: inout JSONWriter) {
        rules.member("platform_keys", ifAny: keys?.rawValue)
        rules.member("platform_limit_ms", ifAny: limit?.wholeMilliseconds)
        rules.member("check_start_at", ifAny: checksStart)
    }
}

extension ClientConfiguration.JournalOptions {
    fileprivate func write(_ root: inout JSONWriter) {
        if isDirectory { root.member("journal_dir", path) } else { root.member("journal_path", path) }
        root.member("journal_required", ifAny: isRequired)
        root.member("journal_timeout_ms", ifAny: timeout?.wholeMilliseconds)
        root.member("resume_on_open", ifAny: resumesOnOpen)
        root.member("journal_max_bytes", ifAny: maxBytes)
        root.member("journal_keeps_replies", ifAny: keepsReplies)
    }
}

extension ClientConfiguration.Ledger {
    fileprivate func write(_ root: inout JSONWriter) {
        root.member("ledger_scope", ifAny: scope)
        root.member("ledger_lease_ms", ifAny: lease?.wholeMilliseconds)
        root.member("ledger_takes_over", ifAny: takesOver)
        root.member("journal_required", ifAny: isRequired)
        root.member("journal_timeout_ms", ifAny: timeout?.wholeMilliseconds)
    }
}
