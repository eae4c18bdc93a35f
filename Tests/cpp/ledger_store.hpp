/*
 * A ledger in memory, as docs/ledger-protocol.md describes it: what a store of a host's does with a
 * batch.
 */
#ifndef LEDGER_STORE_HPP
#define LEDGER_STORE_HPP

#include "partnerbooking.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

class LedgerStore {
public:
    /* Takes a batch and gives its results. */
    std::string execute(std::string_view batch)
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::string results;
        for (int number = 0;; ++number) {
            const Operation operation{std::string(batch), "/operations/" + std::to_string(number) + "/"};
            if (!operation.has("op"))
                return R"({"results":[)" + results + "]}";
            results += (number == 0 ? "" : ",") + (R"({"id":)" + operation["id"] + R"(,"result":)" + carry_out(operation)) + "}";
        }
    }

    /* How many rows have a state. */
    std::size_t count(const std::string &state) const
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        std::size_t count = 0;
        for (const auto &row : rows_)
            count += row.second.is(state.c_str());
        return count;
    }

private:
    /* One of a batch. Its members come as JSON: a text with its quotes. */
    struct Operation {
        std::string batch, path;

        bool has(const std::string &name) const
        {
            const auto value = partnerbooking::json_get(batch, path + name);
            return value && *value != "null";
        }
        std::string operator[](const std::string &name) const
        {
            const std::string value = has(name) ? *partnerbooking::json_get(batch, path + name) : "null";
            return value == "null" || !is_text(name) ? value : partnerbooking::json_quote(value);
        }
        long long number(const std::string &name) const { return has(name) ? std::stoll((*this)[name]) : 0; }
        bool is(const char *text) const { return (*this)["op"] == partnerbooking::json_quote(text); }

        static bool is_text(const std::string &name)
        {
            return name != "lease_ms" && name != "recorded_at" && name != "duration_minutes" && name != "start_ms"
                && name != "limit" && name != "not_before_ms" && name != "withdrawn" && name != "orphan";
        }
    };

    struct Row {
        std::map<std::string, std::string> columns;     /* as JSON */
        long long lease_until = 0;
        bool took_over = false;

        bool is(const char *state) const { return columns.at("state") == '"' + std::string(state) + '"'; }
        bool is_live() const { return is("open") && lease_until > now(); }
        bool has(const char *name, const std::string &value) const { return columns.at(name) == value; }
        void end(const char *state, const Operation &operation, bool heard)
        {
            columns["state"] = '"' + std::string(state) + '"';
            for (const char *name : {"claim", "reply", "outcome"})
                columns[name] = operation[name];
            columns["body"] = "null";
            columns["heard"] = heard ? "true" : "false";
        }
        std::string json() const
        {
            std::string text = is("open") ? R"({"lease_ms":)" + std::to_string(lease_until - now()) : R"({"lease_ms":null)";
            for (const auto &column : columns)
                text += ",\"" + column.first + "\":" + column.second;
            return text + "}";
        }
    };

    using Name = std::pair<std::string, std::string>;   /* scope and key */

    static long long now()
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }

    static Row made(const Operation &operation, const char *state)
    {
        Row row;
        for (const char *name : {"key", "fingerprint", "claim", "owner", "recorded_at", "bot_id", "start_at", "duration_minutes",
                                 "start_ms", "conversation", "account_id", "body", "reply", "outcome"})
            row.columns[name] = operation[name];
        row.columns["state"] = '"' + std::string(state) + '"';
        row.columns["withdrawn"] = row.columns["heard"] = "false";
        row.lease_until = now() + operation.number("lease_ms");
        return row;
    }

    static std::string with_row(const char *result, const Row &row)
    {
        return '"' + std::string(result) + R"(","row":)" + row.json();
    }

    std::string carry_out(const Operation &operation)
    {
        if (operation.is("renew"))
            return renew(operation);
        if (operation.is("orphans") || operation.is("pending"))
            return list(operation);
        const Name name(operation["scope"], operation["key"]);
        const auto found = rows_.find(name);
        Row *const row = found == rows_.end() ? nullptr : &found->second;
        const bool is_its_claim = row != nullptr && row->has("claim", operation["claim"]);
        if (operation.is("claim"))
            return claim(operation, name, row);
        if (operation.is("wait"))
            return row == nullptr ? R"("absent")" : with_row(row->is("open") ? "open" : row->is("booked") ? "booked" : "refused", *row);
        if (operation.is("settle"))
            return settle(operation, name, row);
        if (operation.is("void")) {
            if (row == nullptr)
                (rows_[name] = made(operation, "refused")).columns["heard"] = "true";
            else if (!is_its_claim || row->is("booked"))
                return R"("lost")";
            else if (row->is("open"))
                row->end("refused", operation, false);
            return R"("done")";
        }
        if (operation.is("give_up"))
            return row == nullptr ? R"("absent")" : give_up(operation, *row);
        /* withdraw and heard */
        const bool is_heard = operation.is("heard");
        if (!is_its_claim || row->is("open") == is_heard)
            return R"("lost")";
        row->columns[is_heard ? "heard" : "withdrawn"] = is_heard ? "true" : operation["withdrawn"];
        return R"("done")";
    }

    std::string claim(const Operation &operation, const Name &name, Row *row)
    {
        if (row != nullptr && row->has("claim", operation["claim"])) {
            if (!row->is("open"))
                return row->is("booked") ? with_row("booked", *row) : R"("lost")";
            row->lease_until = now() + operation.number("lease_ms");
            return row->took_over ? with_row("in_doubt", *row) : R"("claimed")";
        }
        const bool replaces = row != nullptr && row->has("claim", operation["replaces"]);
        if (row == nullptr || row->is("refused")) {
            if (operation.has("orphan") && operation["orphan"] == "true")
                return R"("lost")";
            if (row != nullptr && !replaces)
                return with_row("refused", *row);
            rows_[name] = made(operation, "open");
            return R"("claimed")";
        }
        if (!row->has("fingerprint", operation["fingerprint"]))
            return with_row("other", *row);
        if (row->is("booked"))
            return with_row("booked", *row);
        if ((row->is_live() && !row->has("owner", operation["owner"])) || !replaces)
            return with_row("held", *row);
        const std::string result = with_row("in_doubt", *row);
        row->columns["claim"] = operation["claim"];
        row->columns["owner"] = operation["owner"];
        row->columns["withdrawn"] = "false";
        row->lease_until = now() + operation.number("lease_ms");
        row->took_over = true;
        return result;
    }

    static std::string give_up(const Operation &operation, Row &row)
    {
        const bool is_its_claim = row.has("claim", operation["claim"]);
        if (!row.is("open"))
            return with_row(is_its_claim && row.has("outcome", R"("given_up")") ? "given_up" : "kept", row);
        if (!is_its_claim || (row.is_live() && !row.has("owner", operation["owner"])))
            return with_row("held", row);
        const std::string result = with_row("given_up", row);
        row.end("refused", operation, true);
        row.columns["outcome"] = R"("given_up")";
        return result;
    }

    std::string settle(const Operation &operation, const Name &name, Row *row)
    {
        if (row == nullptr)
            rows_[name] = made(operation, "booked");
        else if (!row->has("fingerprint", operation["fingerprint"]))
            return R"("other")";
        else if (!row->is("booked"))
            row->end("booked", operation, false);
        return R"("done")";
    }

    std::string renew(const Operation &operation)
    {
        std::string lost;
        for (int number = 0;; ++number) {
            const Operation held{operation.batch, operation.path + "claims/" + std::to_string(number) + "/"};
            if (!held.has("key"))
                return R"("renewed","lost":[)" + lost + "]";
            const auto found = rows_.find(Name(operation["scope"], held["key"]));
            if (found != rows_.end() && found->second.is("open") && found->second.has("claim", held["claim"])
                && found->second.has("owner", operation["owner"]))
                found->second.lease_until = now() + operation.number("lease_ms");
            else
                lost += (lost.empty() ? "" : ",") + held["key"];
        }
    }

    /* In the order of their keys, which the tests do not look at. */
    std::string list(const Operation &operation) const
    {
        std::string rows;
        long long left = operation.number("limit");
        for (const auto &[name, row] : rows_) {
            const bool is_orphan = row.is("open") && !row.is_live() && row.has("withdrawn", "false")
                && (row.has("start_ms", "null") || std::stoll(row.columns.at("start_ms")) > operation.number("not_before_ms"));
            const bool is_pending = row.is("open") || row.has("heard", "false");
            if (name.first == operation["scope"] && (operation.is("orphans") ? is_orphan : is_pending) && left-- > 0)
                rows += (rows.empty() ? "" : ",") + row.json();
        }
        return R"("rows","rows":[)" + rows + "]";
    }

    mutable std::mutex mutex_;
    std::map<Name, Row> rows_;
};

#endif
