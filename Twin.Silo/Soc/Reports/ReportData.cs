using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Silo.Soc.Reports;

/// <summary>One line of a timeline. <paramref name="Entry"/> and <paramref name="Hash"/> are the ledger's.</summary>
internal sealed record TimelineRow(long Entry, string Hash, string At, string Kind, string Text, string Why);

/// <summary>
/// When the utility became aware, and when NIS2 article 23 wants to hear of it: an early warning within 24 hours, a
/// notification within 72 hours, a final report within one month of the notification.
/// </summary>
internal sealed record DueTimes(string AwareAt, string EarlyWarningBy, string NotificationBy, string FinalReportBy);

/// <summary>One case from first finding to end.</summary>
internal sealed record IncidentReport(string Case, string Subject, string Desk, string Sentence, DueTimes Due,
    string[] People, TimelineRow[] Timeline);

/// <summary>One disconnection or reconnection as it ended or stands.</summary>
internal sealed record DisconnectRow(long Entry, string Hash, string Subject, string Rung, string State,
    string RequestedBy, string Order, string[] Approvals, int Needed, string ProposedAt, string DueAt,
    string OrderedAt, string EndedAt, string Outcome, bool ApprovedByEnough, bool OrderedAfterNotice);

internal sealed record DisconnectReport(string From, string To, DisconnectRow[] Rows);

/// <summary>Meters that run one image under one suite.</summary>
internal sealed record FleetRow(string Model, string Firmware, string Stage, string Keys, int Meters);

internal sealed record FleetReport(int Meters, FleetRow[] Rows);

/// <summary>Collects reports from the ledger alone: nothing that it does not prove is said.</summary>
internal static class ReportData
{
    /// <summary>Entries of one case that are read; more are in the ledger's export.</summary>
    public const int MaxEntries = 10_000;

    /// <exception cref="ArgumentException">There is no such case.</exception>
    public static IncidentReport Incident(ILedgerSource ledger, TwinKey key, int number)
    {
        var entries = ledger.EntriesOf(key, MaxEntries);
        var cases = entries.Where(e => e.Entry.Kind == LedgerKind.Case).Select(e => CaseSnapshot.Read(e.Entry.Body))
            .Where(c => number == 0 || c.Number == number).ToList();
        if (cases.Count == 0) throw new ArgumentException("There is no such case. 'metertwin case list' shows ids.");
        var last = cases[^1];
        var people = new SortedSet<string>(StringComparer.Ordinal);
        var rows = entries.Select(e => Row(e, people)).ToArray();
        return new IncidentReport(last.Id, last.SubjectName, Desks.NameOf(last.Desk), last.Sentence,
            DueOf(last.AwareAt), [.. people], rows);
    }

    /// <summary>A month by the calendar: the same day of the next, or its last.</summary>
    public static DueTimes DueOf(UnixTime aware)
    {
        var notification = new UnixTime(aware.Seconds + 72 * 3600);
        var month = DateTimeOffset.FromUnixTimeSeconds(notification.Seconds).AddMonths(1);
        return new DueTimes(aware.ToString(), new UnixTime(aware.Seconds + 24 * 3600).ToString(),
            notification.ToString(), new UnixTime(month.ToUnixTimeSeconds()).ToString());
    }

    private static TimelineRow Row(StoredEntry e, SortedSet<string> people)
    {
        foreach (var person in LedgerWords.PeopleOf(e.Entry)) people.Add(person);
        var (text, why) = LedgerWords.Of(e.Entry);
        return new(e.Number, Convert.ToHexStringLower(e.Hash), e.Entry.At.ToString(), SocWords.Name(e.Entry.Kind), text,
            why);
    }

    /// <summary>The last state of every response that switches supply, proposed within the span.</summary>
    public static DisconnectReport Disconnects(ILedgerSource ledger, UnixTime from, UnixTime to)
    {
        var last = new Dictionary<string, (StoredEntry Entry, ResponseRecord Response)>();
        for (var after = 0L; ;)
        {
            var entries = ledger.Entries(after, MaxEntries);
            if (entries.Count == 0) break;
            foreach (var e in entries.Where(e => e.Entry.Kind == LedgerKind.Response))
            {
                var r = SocWords.ResponseOf(e.Entry.Body);
                if (r.Rung is ResponseRung.Disconnect or ResponseRung.Reconnect && r.ProposedAt.Seconds >= from.Seconds
                    && r.ProposedAt.Seconds < to.Seconds) last[r.IdempotencyKey] = (e, r);
            }
            after = entries[^1].Number;
        }
        var rows = last.Values.OrderBy(x => x.Entry.Number).Select(x => RowOf(x.Entry, x.Response)).ToArray();
        return new DisconnectReport(from.ToString(), to.ToString(), rows);
    }

    private static DisconnectRow RowOf(StoredEntry e, ResponseRecord r)
    {
        static string Time(UnixTime t) => t.Seconds == 0 ? "" : t.ToString();
        var ordered = r.OrderedAt.Seconds != 0;
        return new DisconnectRow(e.Number, Convert.ToHexStringLower(e.Hash), r.SubjectName,
            (r.IsUndo ? "undo_" : "") + SocWords.Name(r.Rung), SocWords.Name(r.State), r.RequestedBy.Person, r.Order,
            [.. r.Approvals.Select(a => $"{a.By.Person} {a.At}")], r.Needed, Time(r.ProposedAt), Time(r.DueAt),
            Time(r.OrderedAt), Time(r.EndedAt), r.Reason.Length > 0 ? r.Reason : r.Why,
            // What was never ordered broke no rule; two credentials of one person are one approval.
            !ordered || r.Approvals.Select(a => a.By.Key).Distinct().Count() >= r.Needed,
            !ordered || r.OrderedAt.Seconds >= r.DueAt.Seconds);
    }

    /// <summary>What runs where, as the twins know it now.</summary>
    public static async Task<FleetReport> Fleet(IFleet fleet, CancellationToken cancel)
    {
        var counts = new Dictionary<(string Model, string Firmware, string Stage, string Keys), int>();
        var meters = 0;
        for (var after = 0UL; ;)
        {
            var keys = await fleet.Keys(TwinKind.Meter, after, 1_000, cancel);
            if (keys.Count == 0) break;
            foreach (var key in keys)
            {
                if (await fleet.State(key, null, cancel) is not { } state) continue;
                var view = MeterView.From(key, state);
                var kinds = view.Security is { } s
                    ? string.Join(", ", s.Keys.Select(k => $"{k.Slot} suite {k.Suite}").Distinct()
                        .Order(StringComparer.Ordinal))
                    : "";
                var row = (view.Model, view.Firmware, view.Security?.Stage.ToString() ?? "", kinds);
                counts[row] = counts.GetValueOrDefault(row) + 1;
                meters++;
            }
            after = keys[^1].Id;
        }
        return new FleetReport(meters, [.. counts
            .OrderBy(c => c.Key.Model, StringComparer.Ordinal).ThenBy(c => c.Key.Firmware, StringComparer.Ordinal)
            .ThenBy(c => c.Key.Stage, StringComparer.Ordinal).ThenBy(c => c.Key.Keys, StringComparer.Ordinal)
            .Select(c => new FleetRow(c.Key.Model, c.Key.Firmware, c.Key.Stage, c.Key.Keys, c.Value))]);
    }
}
