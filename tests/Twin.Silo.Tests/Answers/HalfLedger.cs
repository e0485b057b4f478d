using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Silo.Tests.Answers;

/// <summary>A ledger up to an entry; a dead one keeps no cursor any more, like a process that is gone.</summary>
internal sealed class HalfLedger(ILedgerSource whole, long upto) : ILedgerSource
{
    public long Upto { get; set; } = upto;
    public bool IsDead { get; set; }

    public LedgerChain End => whole.End;

    public IReadOnlyList<StoredEntry> Entries(long after, int limit) =>
        [.. whole.Entries(after, limit).TakeWhile(e => e.Number <= Upto)];

    public IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit) => whole.EntriesOf(caseKey, limit);

    public IReadOnlyList<StoredEntry> LastOf(TwinKey caseKey, int limit) => whole.LastOf(caseKey, limit);

    public IReadOnlyList<CaseSnapshot> Cases(CaseQuery query) => whole.Cases(query);

    public IReadOnlyList<ListedCase> Find(CaseQuery query) => whole.Find(query);

    public int? Count(CaseQuery query, int most) => whole.Count(query, most);

    public IReadOnlyList<CaseSnapshot> CasesAsOf(UnixTime at, int limit) => whole.CasesAsOf(at, limit);

    public IReadOnlyList<ListedResponse> Responses(ResponseQuery query) => whole.Responses(query);

    public IReadOnlyList<LedgerSeal> Seals(long after, int limit) => whole.Seals(after, limit);

    public long Cursor(string reader) => whole.Cursor(reader);

    public void SetCursor(string reader, long number, bool reset)
    {
        if (IsDead) throw new IOException("The process is gone.");
        whole.SetCursor(reader, number, reset);
    }
}
