using System.Security.Cryptography;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

/// <summary>A ledger that is a list; cursors live as long as it does.</summary>
internal sealed class ListLedger : ILedgerSource
{
    private readonly List<StoredEntry> _entries = [];
    private readonly Dictionary<string, long> _cursors = [];
    private readonly Lock _gate = new();

    public void Add(LedgerEntry entry)
    {
        lock (_gate)
        {
            var bytes = entry.ToBytes();
            var hash = SHA256.HashData([.. _entries.Count == 0 ? new byte[32] : _entries[^1].Hash, .. bytes]);
            _entries.Add(new StoredEntry(_entries.Count + 1, hash, entry, 0));
        }
    }

    public LedgerChain End
    {
        get
        {
            lock (_gate) return _entries.Count == 0 ? LedgerChain.Start : new(_entries.Count, _entries[^1].Hash);
        }
    }

    public IReadOnlyList<StoredEntry> LastOf(TwinKey caseKey, int limit) => EntriesOf(caseKey, limit);

    public IReadOnlyList<ListedCase> Find(CaseQuery query) => [];

    public int? Count(CaseQuery query, int most) => 0;

    public IReadOnlyList<CaseSnapshot> CasesAsOf(UnixTime at, int limit) => [];

    public IReadOnlyList<ListedResponse> Responses(ResponseQuery query) => [];

    public IReadOnlyList<LedgerSeal> Seals(long after, int limit) => [];

    public IReadOnlyList<StoredEntry> Entries(long after, int limit)
    {
        lock (_gate) return [.. _entries.Skip((int)after).Take(limit)];
    }

    public IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit)
    {
        lock (_gate) return [.. _entries.Where(e => e.Entry.Case == caseKey).Take(limit)];
    }

    public IReadOnlyList<CaseSnapshot> Cases(CaseQuery query)
    {
        lock (_gate)
            return [.. _entries.Where(e => e.Entry.Kind == LedgerKind.Case)
                .Select(e => CaseSnapshot.Read(e.Entry.Body)).Reverse().DistinctBy(c => c.Id).Take(query.Limit)];
    }

    public long Cursor(string reader)
    {
        lock (_gate) return _cursors.GetValueOrDefault(reader);
    }

    public void SetCursor(string reader, long number, bool reset)
    {
        lock (_gate)
        {
            if (!reset && number < _cursors.GetValueOrDefault(reader))
                throw new InvalidOperationException("A cursor never goes back.");
            _cursors[reader] = number;
        }
    }
}

internal static class Samples
{
    public static readonly UnixTime At = new(1_767_225_600);
    public static readonly TwinKey Meter = TwinKey.Named(TwinKind.Meter, "M-1");
    public static readonly TwinKey Case = CaseKey.Of(Meter, Desk.Security);

    public static Finding Finding(string name = "M-1", string sentence = "The image is not known.") => new(Meter, name,
        FindingKind.UnknownImage, At, new UnixTime(At.Seconds + 900), new UnixTime(At.Seconds + 1800), 4.5,
        Severity.High, 0.97, "lineage", 2, "T0857", sentence,
        [new Evidence("flash_pages", 12, 0, 1, "pages")], ["A campaign runs."]);

    public static LedgerEntry Report(Finding finding)
    {
        var to = new ByteWriter(256);
        new Report(At, finding, null, SubjectContext.Of(finding.SubjectName) with { Model = "Z-1" }).Write(to);
        return new LedgerEntry(LedgerKind.Report, At, Case, to.ToArray());
    }

    public static CaseSnapshot Snapshot(CaseHandling handling = CaseHandling.New, long later = 0,
        string sentence = "An unknown image runs on M-1.") => new(Case, 1, Meter, "M-1", Desk.Security,
        CaseVerdict.Open, "", CaseCondition.Ongoing, handling,
        handling == CaseHandling.Resolved ? Disposition.True : Disposition.None, Placing.Queued, default, 1, "",
        Severity.High, 0.97, "image:ab", At, At, At, new UnixTime(At.Seconds + later), 1,
        [new FindingFact(FindingKind.UnknownImage, Severity.High, 0.97, At, At, 1, true)], [Finding().Id], ["T0857"],
        ResponseRung.Reattest, sentence, "A proof, and asking again harms nobody.", "d1");

    public static LedgerEntry Entry(CaseSnapshot c) => new(LedgerKind.Case, c.ChangedAt, c.Case, c.ToBytes());

    public static LedgerEntry Entry(ResponseRecord r)
    {
        var to = new ByteWriter(256);
        r.Write(to);
        return new LedgerEntry(LedgerKind.Response, At, r.Case, to.ToArray());
    }

    public static ResponseRecord Response(ResponseRung rung, ResponseState state, bool isUndo = false) => new(Case, 3,
        Meter, "M-1", rung, Enforcer.HeadEnd, state, new Actor("Ada", "key-1"), "", "WO-7", 1200, 2,
        [new Approval(new Actor("Ada", "key-1"), At), new Approval(new Actor("Ben", "key-2"), At)], At, At, At, At,
        At, null, isUndo, "dangerous condition confirmed", "");

    public static SocEvent Event(LedgerEntry entry, long number = 7) =>
        SocEvent.Of(new StoredEntry(number, [.. Enumerable.Repeat((byte)0xAB, 32)], entry, 0))!;
}
