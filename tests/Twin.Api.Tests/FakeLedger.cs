using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api.Tests;

/// <summary>A ledger in which nothing stands but responses.</summary>
internal sealed class FakeLedger : ILedgerSource
{
    public List<ResponseRecord> Known { get; } = [];

    /// <summary>One that was ordered, all else empty.</summary>
    public static ResponseRecord Ordered(TwinKey caseKey, int number) => new(caseKey, number, default, "",
        ResponseRung.Notify, Enforcer.HeadEnd, ResponseState.Executing, new Actor("Ada", "key-1"), "", "", 0, 0, [],
        Service.Now, Service.Now, Service.Now, Service.Now, Service.Now, null, false, "", "");

    public LedgerChain End => LedgerChain.Start;
    public IReadOnlyList<StoredEntry> Entries(long after, int limit) => [];
    public IReadOnlyList<StoredEntry> EntriesOf(TwinKey caseKey, int limit) => [];
    public IReadOnlyList<StoredEntry> LastOf(TwinKey caseKey, int limit) => [];
    public IReadOnlyList<CaseSnapshot> Cases(CaseQuery query) => [];
    public IReadOnlyList<ListedCase> Find(CaseQuery query) => [];
    public int? Count(CaseQuery query, int most) => 0;
    public IReadOnlyList<CaseSnapshot> CasesAsOf(UnixTime at, int limit) => [];

    public IReadOnlyList<ListedResponse> Responses(ResponseQuery query) =>
        [.. Known.Where(r => query.Case is null || r.Case == query.Case).Select(r => new ListedResponse(r, ""))];

    public IReadOnlyList<LedgerSeal> Seals(long after, int limit) => [];
    public long Cursor(string reader) => 0;
    public void SetCursor(string reader, long number, bool reset) => throw new NotSupportedException();
}
