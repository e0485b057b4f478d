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

/// <summary>
/// One case from first finding to end. <paramref name="Complete"/>: false when it has more entries than are read.
/// </summary>
internal sealed record IncidentReport(string Case, string Subject, string Desk, string Sentence, DueTimes Due,
    string[] People, bool Complete, TimelineRow[] Timeline);

/// <summary>
/// One disconnection or reconnection as it ended or stands. <paramref name="PeopleToldAt"/>: when the case had told
/// people before the order went out. <paramref name="Window"/>: from when on supply might be switched off by the
/// decision on which the order went out. <paramref name="NotBefore"/>: the later of that and of the delay by chance.
/// What was never ordered broke no rule.
/// </summary>
internal sealed record DisconnectRow(long Entry, string Hash, string Subject, string Rung, string State,
    string RequestedBy, string Order, string[] Approvals, int Needed, string ProposedAt, string PeopleToldAt,
    string Window, string NotBefore, string OrderedAt, string EndedAt, string Outcome, bool ApprovedByEnough,
    bool WithinWindow, bool OrderedAfterNotice);

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
        var cases = entries.Where(e => e.Entry.Kind == LedgerKind.Case)
            .Select(e => (e.Number, Case: CaseSnapshot.Read(e.Entry.Body))).ToList();
        var last = cases.LastOrDefault(c => number == 0 || c.Case.Number == number).Case
            ?? throw new ArgumentException($"There is no case {CaseSnapshot.IdOf(key, number)}. "
                + "'metertwin case list --all' shows ids.");
        // A twin has one case behind another: what stands between the former's last word and the next one's first.
        var from = cases.LastOrDefault(c => c.Case.Number < last.Number).Number;
        var next = cases.FirstOrDefault(c => c.Case.Number > last.Number).Number;
        var people = new SortedSet<string>(StringComparer.Ordinal);
        var rows = entries.Where(e => e.Number > from && (next == 0 || e.Number < next)).Select(e => Row(e, people))
            .ToArray();
        return new IncidentReport(last.Id, last.SubjectName, Desks.NameOf(last.Desk), last.Sentence,
            DueOf(last.AwareAt), [.. people], entries.Count < MaxEntries || next != 0, rows);
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
        return new(e.Number, Convert.ToHexStringLower(e.Hash), e.Entry.At.ToString(), SnakeCase.Of(e.Entry.Kind), text,
            why);
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
