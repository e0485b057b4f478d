using Twin.Detection.Evaluation;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Twin.Silo.Engine;

namespace Twin.Silo.Evaluation;

/// <summary>
/// Plays one set through the twins of the service: the same admission, closings and judging as live, in memory and
/// without a journal. Nothing of a set's truth reaches a twin.
/// </summary>
internal sealed class SetRun : IDisposable
{
    private readonly EvaluationSet _set;
    private readonly TwinHost _host = new(1, new TwinFactory(), keepScores: true);
    private readonly InputBatch _batch = new("evaluate");
    private readonly ByteWriter _block = new(4096);
    private readonly Dictionary<MeterId, int> _place = [];
    private readonly double[][] _scores;
    private readonly List<int>[] _findings;
    private readonly string[][] _tops;

    private SetRun(EvaluationSet set, int days)
    {
        _set = set;
        _scores = [.. set.Cases.Select(_ => new double[days])];
        _tops = [.. set.Cases.Select(_ => new string[days])];
        _findings = [.. set.Cases.Select(_ => new List<int>())];
    }

    /// <summary>
    /// A scored case a meter, in the order of the set, and the strongest feature of each day.
    /// <paramref name="days"/>: how much of the set is played.
    /// </summary>
    public static (ScoredCase[] Scored, string[][] Tops) Play(EvaluationSet set, int days)
    {
        using var run = new SetRun(set, days);
        run.Register();
        var observers = set.Plan.Observers ? set.Feeders.Select((_, f) => set.Observe(f)).ToArray() : [];
        for (var d = 0; d < days; d++)
        {
            run.Tell(d, observers);
            if (d >= Protocol.HorizonDays) run.Close(d - Protocol.HorizonDays);
        }
        for (var d = Math.Max(0, days - Protocol.HorizonDays); d < days; d++) run.Close(d);
        return ([.. set.Cases.Select((c, h) => new ScoredCase(set.Number, h, c.HomeIndex, c.Kind, c.Cause, c.Onset,
            run._scores[h], [.. run._findings[h]]))], run._tops);
    }

    private static string Name(int meter) => $"meter-{meter}";

    private static string ObserverName(int feeder) => $"observer-{feeder}";

    private readonly Consequences _consequences = new();

    private void Register()
    {
        for (var f = 0; f < _set.Feeders.Count; f++)
        {
            var (start, count, _) = _set.Feeders[f];
            for (var h = start; h < start + count; h++)
            {
                var id = MeterId.FromUtilityId(Name(h));
                _place[id] = h;
                Register(id, Name(h), MeterRole.Customer, f, _set.Cases[h].Home.Cohort);
            }
            if (_set.Plan.Observers)
                Register(MeterId.FromUtilityId(ObserverName(f)), ObserverName(f), MeterRole.Observer, f, ("", "", ""));
        }
        Admit();
    }

    private void Register(MeterId id, string name, MeterRole role, int feeder,
        (string Model, string Firmware, string Lot) cohort)
    {
        _batch.Add(new MeterSeen(id, name, "UTC", 3));
        _batch.Add(new MeterRelation(id, name, role, $"feeder-{feeder}", cohort.Model, cohort.Firmware, cohort.Lot,
            "", "", "", "UTC", "", "", CustomerCategory.Ordinary, int.MinValue, int.MaxValue));
    }

    private void Tell(int day, int[][] observers)
    {
        var n = _set.Plan.SlotsPerDay;
        for (var h = 0; h < _set.Cases.Count; h++)
        {
            var c = _set.Cases[h];
            var id = MeterId.FromUtilityId(Name(h));
            var slots = c.ToldOn(day).ToArray();
            if (c.BackfillDay > day)
                for (var s = 0; s < n; s++)
                    if (day * n + s >= c.Backfilled.From && day * n + s < c.Backfilled.To)
                        slots[s] = ReadingBlock.Missing;
            Tell(id, day, slots, c.Home.Qualities.AsSpan(c.Home.Qualities is null ? 0 : day * n));
            if (c.BackfillDay == day) Backfill(id, c);
        }
        for (var f = 0; f < observers.Length; f++)
            Tell(MeterId.FromUtilityId(ObserverName(f)), day, observers[f].AsSpan(day * n, n), []);
        Admit();
    }

    private void Backfill(MeterId id, EvaluationCase c)
    {
        var n = c.SlotsPerDay;
        for (var d = c.Backfilled.From / n; d <= (c.Backfilled.To - 1) / n; d++)
        {
            var slots = c.ToldOn(d).ToArray();
            for (var s = 0; s < n; s++)
                if (d * n + s < c.Backfilled.From || d * n + s >= c.Backfilled.To) slots[s] = ReadingBlock.Missing;
            Tell(id, d, slots, c.Home.Qualities.AsSpan(c.Home.Qualities is null ? 0 : d * n));
        }
    }

    private void Tell(MeterId id, int day, Span<int> slots, ReadOnlySpan<Quality> qualities)
    {
        var (first, last) = (0, slots.Length - 1);
        while (first <= last && slots[first] == ReadingBlock.Missing) first++;
        while (last >= first && slots[last] == ReadingBlock.Missing) last--;
        if (first > last) return;
        var minute = (_set.Plan.FirstDay + day) * 1440L + (long)first * _set.Plan.IntervalMinutes;
        _block.Clear();
        ReadingBlock.WriteRaw(_block, id, Channel.Import, _set.Plan.IntervalMinutes, minute, slots[first..(last + 1)],
            qualities.IsEmpty ? [] : qualities[first..(last + 1)], 0);
        _batch.Add(_block.Written);
    }

    /// <exception cref="InvalidOperationException">A twin refused what the protocol says.</exception>
    private void Admit()
    {
        var results = new Admission[_batch.Count];
        _host.Admit(new Step(_batch, 0, _batch.Count, results, [], Nothing.Stored, _ => false), (_, _) => { },
            _consequences);
        foreach (var r in results)
            if (r.Status == AdmissionStatus.Rejected)
                throw new InvalidOperationException($"Set {_set.Number} holds what a twin refuses: {r.Reason}");
        _batch.Clear();
    }

    private void Close(int day)
    {
        _host.CloseDay(_set.Plan.FirstDay + day, _consequences);
        foreach (var bytes in _consequences.Scores)
        {
            var score = DayScore.Read(bytes);
            if (!_place.TryGetValue(score.Meter, out var h)) continue;
            var at = score.Day - _set.Plan.FirstDay;
            (_scores[h][at], _tops[h][at]) = (score.Score, score.Top);
        }
        foreach (var bytes in _consequences.Findings)
        {
            var finding = Finding.Read(bytes);
            if (Accuses(finding.Kind) && finding.Subject.Kind == TwinKind.Meter
                && _place.TryGetValue(new MeterId(finding.Subject.Id), out var h)) _findings[h].Add(day);
        }
        _consequences.Clear();
    }

    /// <summary>Findings of reading models and of the balance; validation rules tell of data, not of people.</summary>
    private static bool Accuses(FindingKind kind) =>
        kind is >= FindingKind.LevelShift and <= FindingKind.BalanceSuspect;

    public void Dispose() => _host.Dispose();
}
