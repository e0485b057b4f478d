using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Commands;

namespace Twin.Silo.Tests.Policies;

/// <summary>What a fleet's own ledger says was done, counted from its entries without the code of the comparison.
/// </summary>
internal static class LedgerCount
{
    private static (string Key, ResponseRung Rung) Key(ResponseRecord r) => (r.IdempotencyKey, r.Rung);

    public static Dictionary<string, double> Of(ILedgerSource ledger, UnixTime to)
    {
        var cases = new Dictionary<string, CaseSnapshot>();
        var responses = new Dictionary<(string, ResponseRung), ResponseRecord>();
        for (long after = 0; ledger.Entries(after, 500) is { Count: > 0 } page; after = page[^1].Number)
        {
            foreach (var entry in page)
            {
                var bytes = new ByteReader(entry.Entry.Body);
                if (entry.Entry.Kind == LedgerKind.Case)
                {
                    var c = CaseSnapshot.Read(entry.Entry.Body);
                    cases[c.Id] = c;
                }
                else if (entry.Entry.Kind is LedgerKind.Response or LedgerKind.Order)
                {
                    var r = ResponseRecord.Read(ref bytes);
                    responses[Key(r)] = r;
                }
            }
        }
        var counted = new Dictionary<string, double>();
        void Add(string what, double by) => counted[what] = counted.GetValueOrDefault(what) + by;
        foreach (var c in cases.Values.Where(c => c.Verdict == CaseVerdict.Open && c.FindingCount > 0))
            Add($"cases of {Desks.NameOf(c.Desk)}", 1);
        foreach (var r in responses.Values)
        {
            var rung = SnakeCase.Of(r.Rung);
            if (r.IsUndo)
            {
                Add($"{rung} taken back", 1);
                continue;
            }
            Add($"{rung} proposed", 1);
            if (r.OrderedAt.Seconds > 0) Add($"{rung} ordered", 1);
            if (r.State == ResponseState.Quarantined) Add("quarantined", 1);
            if (r.State == ResponseState.Proposed && r.Needed > r.Approvals.Length) Add("wait for persons", 1);
        }
        var touched = new HashSet<TwinKey>();
        foreach (var subject in responses.Values.GroupBy(r => r.Subject))
        {
            var (off, kilowattHours) = Without(subject, ResponseRung.Disconnect, to);
            var (limited, _) = Without(subject, ResponseRung.LimitLoad, to);
            Add("customer minutes off", off);
            Add("customer minutes limited", limited);
            Add("kWh not delivered", kilowattHours);
            if (subject.Any(r => r is { Rung: ResponseRung.Disconnect or ResponseRung.LimitLoad, IsUndo: false }
                && WentOut(r))) touched.Add(subject.Key);
        }
        Add("customers off or limited", touched.Count);
        return counted;
    }

    private static bool WentOut(ResponseRecord r) => r.OrderedAt.Seconds > 0 && r.State != ResponseState.Failed;

    /// <summary>The life of one supply, order by order.</summary>
    private static (double Minutes, double KilowattHours) Without(IEnumerable<ResponseRecord> of, ResponseRung rung,
        UnixTime to)
    {
        var (minutes, kilowattHours, since, watts) = (0.0, 0.0, (long?)null, 0L);
        void End(long at)
        {
            if (since is not { } from) return;
            minutes += (at - from) / 60.0;
            kilowattHours += watts / 1_000.0 * (at - from) / 3_600;
            since = null;
        }
        foreach (var r in of.Where(WentOut).OrderBy(r => r.OrderedAt.Seconds).ThenBy(r => Ends(r) ? 1 : 0))
        {
            if (Ends(r)) End(r.OrderedAt.Seconds);
            else if (r.Rung == rung && since is null) (since, watts) = (r.OrderedAt.Seconds, r.Watts);
        }
        End(to.Seconds);
        return (minutes, kilowattHours);

        bool Ends(ResponseRecord r) => r.Rung == ResponseRung.Reconnect || r.IsUndo && r.Rung == rung;
    }
}
