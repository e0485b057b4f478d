using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Soc.Reports;

/// <summary>
/// Every response that switches supply, with what bound it when it went out: the decision before the order, not the
/// one that proposed it.
/// </summary>
internal sealed class DisconnectData
{
    private sealed record Terms(UnixTime Window, bool IsDanger, bool IsRefused);

    private sealed class Seen
    {
        public required StoredEntry Entry { get; set; }
        public required ResponseRecord Response { get; set; }
        public Terms? Ordered { get; set; }
        public UnixTime Told { get; set; }
    }

    private readonly Dictionary<string, Seen> _responses = [];
    private readonly Dictionary<(TwinKey, ResponseRung), Terms> _terms = [];
    private readonly Dictionary<TwinKey, UnixTime> _told = [];

    /// <summary>All that were proposed within the span, as they stand.</summary>
    public static DisconnectReport Of(ILedgerSource ledger, UnixTime from, UnixTime to)
    {
        if (from.Seconds >= to.Seconds) throw new ArgumentException($"--from {from} is not before --to {to}.");
        var data = new DisconnectData();
        foreach (var entry in ledger.EntriesAfter(0)) data.Take(entry);
        return new DisconnectReport(from.ToString(), to.ToString(), [.. data._responses.Values
            .Where(s => s.Response.ProposedAt.Seconds >= from.Seconds && s.Response.ProposedAt.Seconds < to.Seconds)
            .OrderBy(s => s.Entry.Number).Select(Row)]);
    }

    private static bool Switches(ResponseRung rung) => rung is ResponseRung.Disconnect or ResponseRung.Reconnect;

    private void Take(StoredEntry entry)
    {
        switch (entry.Entry.Kind)
        {
            case LedgerKind.Decision:
                var record = DecisionRecord.Read(entry.Entry.Body);
                var rung = record.Facts.Wanted ?? record.Decision.Rung;
                if (Switches(rung))
                    _terms[(entry.Entry.Case, rung)] = new Terms(record.Decision.WindowFrom,
                        record.Facts.ConfirmedDangerous, record.Decision.Refused.Length > 0 || record.Decision.HoldAll);
                break;
            case LedgerKind.Response:
                var r = ResponseRecord.Read(entry.Entry.Body);
                if (r is { Rung: ResponseRung.Notify, State: ResponseState.Done }) _told[r.Case] = r.EndedAt;
                if (!Switches(r.Rung)) break;
                if (!_responses.TryGetValue(r.IdempotencyKey, out var seen))
                    _responses[r.IdempotencyKey] = seen = new Seen { Entry = entry, Response = r };
                (seen.Entry, seen.Response) = (entry, r);
                break;
            case LedgerKind.Order:
                var order = ResponseRecord.Read(entry.Entry.Body);
                if (!_responses.TryGetValue(order.IdempotencyKey, out var ordered)) break;
                ordered.Ordered = _terms.GetValueOrDefault((order.Case, order.Rung));
                ordered.Told = _told.GetValueOrDefault(order.Case);
                break;
        }
    }

    private static DisconnectRow Row(Seen seen)
    {
        static string Time(UnixTime t) => t.Seconds == 0 ? "" : t.ToString();
        var (e, r, terms) = (seen.Entry, seen.Response, seen.Ordered);
        var isOrdered = r.OrderedAt.Seconds != 0;
        var window = terms?.Window ?? default;
        var notBefore = window.Seconds > r.DueAt.Seconds ? window : r.DueAt;
        // Who asks is no approver, and two credentials of one person are one approval.
        var persons = r.Approvals.Select(a => a.By.Key).Where(k => k != r.RequestedBy.Key).Distinct().Count();
        return new DisconnectRow(e.Number, Convert.ToHexStringLower(e.Hash), r.SubjectName, SnakeCase.Of(r.Rung),
            SnakeCase.Of(r.State), r.RequestedBy.Person, r.Order,
            [.. r.Approvals.Select(a => $"{a.By.Person} {a.At}")], r.Needed, Time(r.ProposedAt), Time(seen.Told),
            terms is null ? "" : terms.IsDanger ? "any time: a danger was confirmed"
                : window.Seconds == 0 ? "any time" : $"from {window}",
            Time(notBefore), Time(r.OrderedAt), Time(r.EndedAt), r.Reason.Length > 0 ? r.Reason : r.Why,
            !isOrdered || persons >= r.Needed,
            !isOrdered || terms is { IsRefused: false } && window.Seconds <= r.OrderedAt.Seconds,
            !isOrdered || r.OrderedAt.Seconds >= notBefore.Seconds);
    }
}
