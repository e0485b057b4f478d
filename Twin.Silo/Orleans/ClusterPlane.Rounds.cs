using System.Runtime.InteropServices;
using Orleans.Concurrency;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Engine;
using Twin.Silo.Storage.Postgres;

namespace Twin.Silo.Orleans;

// Closings and sweeps: supersteps over silos. A round ends when every gate has posted its letters; only then is the
// next delivered.
internal sealed partial class ClusterPlane
{
    public void CloseDay(int day, Consequences into)
    {
        Converse($"closing day {LocalDay.FormatDate(day)}", new DayClosed(day).ToBytes(), isSweep: false, into,
            (from, body) => into.Publications.Add((from, day, body)));
        into.Publications.Sort((a, b) => a.Day != b.Day ? a.Day.CompareTo(b.Day) : a.From.CompareTo(b.From));
    }

    public void Sweep(byte[] input, Consequences into) =>
        Converse("a sweep", input, isSweep: true, into, static (from, _) => throw new InvalidOperationException(
            $"Twin {from} publishes in a sweep: what it says could not be read back with a day."));

    private void Converse(string during, byte[] input, bool isSweep, Consequences into,
        Action<TwinKey, byte[]> published)
    {
        Array.Fill(_unsettled, true);
        var round = _round;
        var reports = Reports(g => _gates[g].Hear(Epoch, round, isSweep, new Immutable<byte[]>(input)));
        for (var count = 0; ; count++)
        {
            var letters = Report(reports, into, published);
            if (letters == 0) break;
            if (count == MaxRounds)
                throw new InvalidOperationException($"Twins still talk after {MaxRounds} rounds of {during}.");
            round = ++_round;
            reports = Reports(g => _gates[g].Deliver(Epoch, round, isSweep));
        }
        _round++;
    }

    private RoundReport[] Reports(Func<int, Task<Immutable<byte[]>>> ask) =>
        [.. All(g => Ask(ask(g))).Select(bytes => RoundReport.Read(bytes!))];

    /// <summary>Takes in what was said in a round; the number of letters that wait for the next.</summary>
    private long Report(RoundReport[] reports, Consequences into, Action<TwinKey, byte[]> published)
    {
        var facts = new List<(TwinKey, SaidKind, byte[])>();
        var strays = new Dictionary<(int From, int To), ByteWriter>();
        for (var g = 0; g < reports.Length; g++)
        {
            _waiting[g] = reports[g].Waiting;
            foreach (var key in reports[g].Born) Add(key, Homes.PlaceOf(key));
            foreach (var (from, kind, to, body) in reports[g].Said)
            {
                if (kind == SaidKind.Publication) published(from, body);
                else if (kind != SaidKind.Letter) facts.Add((from, kind, body));
                else
                {
                    if (!_places.TryGetValue(to, out var place)) Add(to, place = Homes.PlaceOf(to));
                    ref var letters = ref CollectionsMarshal.GetValueRefOrAddDefault(strays,
                        (g, _homes.Of(place)), out _);
                    GateCode.WriteLetter(letters ??= new ByteWriter(), to, from, body);
                }
            }
        }
        AddFacts(facts, into);
        var next = _round + 1;
        Task.WhenAll(strays.Select(s => _gates[s.Key.To].Post(Epoch, next, s.Key.From,
            new Immutable<byte[]>(s.Value.ToArray())))).GetAwaiter().GetResult();
        return reports.Sum(r => r.Letters);
    }

    /// <summary>Rows to be stored with a batch, until the journal's thread takes them.</summary>
    private readonly System.Collections.Concurrent.ConcurrentDictionary<JournalBatch, ClusterCommit> _commits = new();

    public void Keep(int? day, long position, JournalBatch batch)
    {
        var rows = _commits.TryGetValue(batch, out var earlier) ? earlier.Twins.ToDictionary(r => r.Key) : [];
        foreach (var row in Collect(position, all: day is not null))
        {
            rows[row.Key] = row;
            if (day is { } closed && _factory.HearsClosings(row.Key.Kind) && PastTwin.IsCheckpointDay(row.Key, closed))
                batch.Checkpoints.Add(new TwinCheckpoint(row.Key, closed, position, row.State.ToArray()));
        }
        _commits[batch] = new ClusterCommit(Epoch, [.. rows.Values], [])
        {
            FlushedThrough = day is null ? earlier?.FlushedThrough : position,
        };
    }

    /// <summary>
    /// States of all twins that changed since they were stored, or only of those among them that took part in the last
    /// sweep; in key order.
    /// </summary>
    private List<TwinRow> Collect(long position, bool all)
    {
        var rows = new List<TwinRow>();
        for (var isFirst = true; ; isFirst = false)
        {
            var pages = All(g => Ask(_gates[g].Keep(Epoch, isFirst, all)));
            if (pages.All(p => p!.Length == 0)) break;
            foreach (var page in pages)
            {
                var r = new ByteReader(page);
                while (!r.AtEnd)
                {
                    var (key, waits, length) = (KeyCode.Read(ref r), r.Bool(), r.Blob().Length);
                    var place = _moves.TryGetValue(key, out var next) ? next
                        : _places.GetValueOrDefault(key, Homes.PlaceOf(key));
                    rows.Add(new TwinRow(key, place, position, waits, page.AsMemory(r.Position - length, length)));
                }
            }
        }
        rows.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        return rows;
    }

    /// <summary>What the journal stores with a batch; called by its thread, again when it tries again.</summary>
    public ClusterCommit CommitOf(JournalBatch batch)
    {
        var commit = _commits.TryGetValue(batch, out var kept) ? kept : new ClusterCommit(Epoch, [], []);
        return batch.Receipt is { } receipt ? commit with { Receipts = [receipt] } : commit;
    }

    /// <summary>The batch is committed: its rows are let go.</summary>
    public void Committed(JournalBatch batch) => _commits.TryRemove(batch, out _);

    /// <summary>
    /// Stores every twin that changed. The sequencer's thread, with all that was judged committed.
    /// </summary>
    public void Flush(long position)
    {
        var batch = new JournalBatch(position + 1);
        var commit = new ClusterCommit(Epoch, Collect(position, all: true), []) { FlushedThrough = position };
        Array.Fill(_unsettled, true);
        _store.Append(batch, commit);
        Settled();
    }
}
