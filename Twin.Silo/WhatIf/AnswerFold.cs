using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.WhatIf;

/// <summary>A case as it ended, in what two policies may differ.</summary>
internal sealed record CaseEnd(string Id, string Subject, Desk Desk, bool IsOpened, ResponseRung Strongest,
    string Sentence);

/// <summary>
/// What a policy did to a fleet. Counts of responses are by rung. <paramref name="Customers"/>: subjects whose supply
/// was switched off or limited. Minutes and energy: from the order to the taking back, to the reconnection, or to the
/// end of the record; a subject that is off twice at once is off once.
/// </summary>
internal sealed record AnswerFigures(SortedDictionary<Desk, int> Cases, SortedDictionary<ResponseRung, int> Proposed,
    SortedDictionary<ResponseRung, int> Ordered, SortedDictionary<ResponseRung, int> TakenBack, int WaitForPersons,
    int Quarantined, int Customers, double MinutesOff, double MinutesLimited, double KilowattHours);

/// <summary>
/// Folds entries of a ledger to figures, in order, and keeps no more than cases and responses as they are last.
/// </summary>
internal sealed class AnswerFold
{
    private readonly SortedDictionary<(ulong Case, int Number), CaseSnapshot> _cases = [];
    private readonly SortedDictionary<string, ResponseRecord> _responses = new(StringComparer.Ordinal);

    /// <summary>Responses and undoings by case and number; true when one of them was ordered.</summary>
    private readonly Dictionary<(TwinKey Case, int Number), bool> _slots = [];

    /// <summary>End of the record: what still holds then is counted to there.</summary>
    public UnixTime To { get; private set; }

    public void See(UnixTime at) => To = at.Seconds > To.Seconds ? at : To;

    /// <exception cref="InvalidDataException">The entry is damaged.</exception>
    public void Take(LedgerEntry entry)
    {
        if (entry.Kind == LedgerKind.Case)
        {
            var c = CaseSnapshot.Read(entry.Body);
            _cases[(c.Case.Id, c.Number)] = c;
        }
        else if (entry.Kind is LedgerKind.Response or LedgerKind.Order)
        {
            var r = ResponseRecord.Read(entry.Body);
            // An order repeats the response as it is; an undoing has a name of its own.
            _responses[NameOf(r)] = r;
            _slots[SlotOf(r)] = _slots.GetValueOrDefault(SlotOf(r)) || entry.Kind == LedgerKind.Order;
        }
    }

    /// <summary>One name for one response under one rung: a number alone may mean another elsewhere.</summary>
    public static string NameOf(ResponseRecord r) => $"{r.IdempotencyKey} {r.Rung}";

    /// <summary>What acts and outcomes speak of: case and number, below zero for an undoing.</summary>
    public static (TwinKey Case, int Number) SlotOf(ResponseRecord r) => (r.Case, r.IsUndo ? -r.Number : r.Number);

    public bool Has(string name) => _responses.ContainsKey(name);

    /// <summary>True when it has this very order: the same response, ordered at the same time.</summary>
    public bool HasOrder(ResponseRecord order) => _responses.TryGetValue(NameOf(order), out var same)
        && same.OrderedAt == order.OrderedAt;

    /// <summary>True when anything was proposed under a case and number.</summary>
    public bool Knows((TwinKey Case, int Number) slot) => _slots.ContainsKey(slot);

    /// <summary>True when anything was ordered under a case and number.</summary>
    public bool Ordered((TwinKey Case, int Number) slot) => _slots.GetValueOrDefault(slot);

    public AnswerFigures Figures()
    {
        SortedDictionary<Desk, int> cases = [];
        foreach (var c in _cases.Values.Where(IsOpened)) cases[c.Desk] = cases.GetValueOrDefault(c.Desk) + 1;
        SortedDictionary<ResponseRung, int> proposed = [], ordered = [], back = [];
        foreach (var r in _responses.Values)
        {
            Count(r.IsUndo ? back : proposed, r.Rung);
            if (!r.IsUndo && r.OrderedAt.Seconds != 0) Count(ordered, r.Rung);
        }
        var (off, limited) = (Spans(ResponseRung.Disconnect), Spans(ResponseRung.LimitLoad));
        return new AnswerFigures(cases, proposed, ordered, back,
            _responses.Values.Count(r => r is { State: ResponseState.Proposed, IsUndo: false }
                && r.Approvals.Length < r.Needed),
            _responses.Values.Count(r => r is { State: ResponseState.Quarantined, IsUndo: false }),
            off.Keys.Union(limited.Keys).Count(), off.Values.Sum(s => s.Minutes), limited.Values.Sum(s => s.Minutes),
            off.Values.Sum(s => s.KilowattHours));
    }

    private static void Count(SortedDictionary<ResponseRung, int> of, ResponseRung rung) =>
        of[rung] = of.GetValueOrDefault(rung) + 1;

    private static bool IsOpened(CaseSnapshot c) => c is { Verdict: CaseVerdict.Open, FindingCount: > 0 };

    public IEnumerable<CaseEnd> Cases() => _cases.Values.Select(c => new CaseEnd(c.Id, c.SubjectName, c.Desk,
        IsOpened(c), c.Rung, c.Sentence));

    /// <summary>How long, in minutes, and how much, kWh, each subject was without or limited.</summary>
    private Dictionary<TwinKey, (double Minutes, double KilowattHours)> Spans(ResponseRung rung)
    {
        var ends = _responses.Values.Where(r => r.OrderedAt.Seconds != 0 && r.State != ResponseState.Failed
            && (r.IsUndo && r.Rung == rung || r.Rung == ResponseRung.Reconnect))
            .ToLookup(r => r.Subject, r => r.OrderedAt.Seconds);
        var found = new Dictionary<TwinKey, (double, double)>();
        foreach (var of in _responses.Values.Where(r => r.Rung == rung && !r.IsUndo && r.OrderedAt.Seconds != 0
            && r.State != ResponseState.Failed).GroupBy(r => r.Subject))
        {
            var (seconds, energy, until) = (0L, 0.0, long.MinValue);
            foreach (var r in of.OrderBy(r => r.OrderedAt.Seconds))
            {
                var from = Math.Max(r.OrderedAt.Seconds, until);
                var to = ends[of.Key].Where(e => e >= r.OrderedAt.Seconds).DefaultIfEmpty(To.Seconds).Min();
                if (to <= from) continue;
                (seconds, energy, until) = (seconds + to - from, energy + r.Watts / 3_600_000.0 * (to - from), to);
            }
            found[of.Key] = (seconds / 60.0, energy);
        }
        return found;
    }
}
