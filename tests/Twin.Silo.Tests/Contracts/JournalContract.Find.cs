using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Tests.Soc;

namespace Twin.Silo.Tests.Contracts;

// What people look for cases and responses by.
public abstract partial class JournalContract
{
    private static CaseSnapshot Sought(int n) => LedgerSamples.Case(n, Desk.Security, 1, n) with
    {
        Verdict = CaseVerdict.Open,
        Placing = Placing.Queued,
        Severity = (Severity)(1 + n % 3),
        Assignee = n % 2 == 0 ? "Ada" : "",
        AwareAt = new UnixTime(Samples.At.Seconds - n),
        Findings = [new FindingFact(n % 5 == 0 ? FindingKind.ClockDrift : FindingKind.LevelShift, Severity.Low, 0.5,
            Samples.At, Samples.At, 1, false)],
    };

    private static LedgerEntry ReportOf(CaseSnapshot c, int n) => new(LedgerKind.Report, c.ChangedAt, c.Case,
        WrittenReport(new Report(c.ChangedAt, Samples.Finding(c.SubjectName), null,
            SubjectContext.Of(c.SubjectName) with { Region = $"R-{n % 3}", Feeder = $"F-{n % 4}" })));

    private static byte[] WrittenReport(Report report)
    {
        var to = new Twin.Hardware.Coding.ByteWriter(512);
        report.Write(to);
        return to.ToArray();
    }

    private static ResponseRecord ReplyOf(CaseSnapshot c, int number, ResponseState state, int minute) =>
        Samples.Response(ResponseRung.Disconnect, state) with
        {
            Case = c.Case,
            Subject = c.Subject,
            Number = number,
            Needed = 2,
            Approvals = [],
            ProposedAt = new UnixTime(Samples.At.Seconds + minute * 60),
        };

    [Fact]
    public void Cases_are_found_by_what_people_look_for_and_pages_go_on_where_they_ended()
    {
        var cases = Enumerable.Range(1, 40).Select(Sought).ToArray();
        using (var journal = Open())
            for (var n = 0; n < cases.Length; n++) Record(journal, ReportOf(cases[n], n), Samples.Entry(cases[n]));
        using var again = Open();
        var all = new CaseQuery(null, null, null, null, true, 100);
        void Expect(CaseQuery query, Func<CaseSnapshot, int, bool> fits)
        {
            var expected = cases.Where((c, n) => fits(c, n)).Select(c => c.Id).Order(StringComparer.Ordinal);
            Assert.Equal(expected, again.Find(query).Select(r => r.Case.Id).Order(StringComparer.Ordinal));
            Assert.Equal(expected.Count(), again.Count(query, 1_000));
            Assert.Null(again.Count(query, expected.Count() - 1));
        }
        Expect(all with { AtLeast = Severity.High }, (c, _) => c.Severity >= Severity.High);
        Expect(all with { Assignee = "Ada" }, (c, _) => c.Assignee == "Ada");
        Expect(all with { Kind = FindingKind.ClockDrift }, (c, _) => c.Findings[0].Kind == FindingKind.ClockDrift);
        Expect(all with { Text = "OF s1" }, (c, _) => c.Sentence.Contains("of S1", StringComparison.Ordinal));
        Expect(all with { Feeder = "F-2" }, (_, n) => n % 4 == 2);
        Expect(all with { Regions = ["r-0", "R-1"] }, (_, n) => n % 3 < 2);
        Expect(all with { Disposition = Disposition.Benign }, (c, _) => c.Disposition == Disposition.Benign);
        Expect(all with { One = (cases[7].Case, 0) }, (_, n) => n == 7);
        foreach (var order in Enum.GetValues<CaseOrder>())
        {
            var (whole, paged) = (again.Find(all with { Order = order }), new List<string>());
            for (CasePlace? after = null; ;)
            {
                var page = again.Find(all with { Order = order, After = after, Limit = 7 });
                paged.AddRange(page.Select(r => r.Case.Id));
                if (page.Count < 7) break;
                var c = page[^1].Case;
                after = new CasePlace((int)c.Severity, (order == CaseOrder.Opened ? c.AwareAt : c.ChangedAt).Seconds,
                    c.Case.Id, c.Number);
            }
            Assert.Equal(whole.Select(r => r.Case.Id), paged);
            Assert.Equal(cases.Length, paged.Count);
        }
    }

    [Fact]
    public void Cases_as_they_were_known_then_are_their_last_entries_by_then()
    {
        using var journal = Open();
        for (var change = 0; change < 20; change += 2)
            Record(journal, Samples.Entry(LedgerSamples.Case(1 + change % 3, Desk.Security, 1, change)));
        var entries = journal.Entries(0, 100);
        foreach (var at in entries.Select(e => e.Entry.At).Append(new UnixTime(0)))
        {
            var expected = entries.Where(e => e.Entry.At.Seconds <= at.Seconds).GroupBy(e => e.Entry.Case)
                .Select(g => CaseSnapshot.Read(g.Last().Entry.Body).Sentence).Order(StringComparer.Ordinal);
            Assert.Equal(expected, journal.CasesAsOf(at, 100).Select(c => c.Sentence).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Responses_are_found_by_state_subject_and_case_and_by_who_has_to_do_with_them()
    {
        var cases = Enumerable.Range(1, 6).Select(Sought).ToArray();
        using (var journal = Open())
            for (var n = 0; n < cases.Length; n++)
                Record(journal, ReportOf(cases[n], n), Samples.Entry(ReplyOf(cases[n], 1, ResponseState.Proposed, n)),
                    Samples.Entry(ReplyOf(cases[n], 1, n < 3 ? ResponseState.Quarantined : ResponseState.Done, n)),
                    Samples.Entry(ReplyOf(cases[n], 1, ResponseState.Done, n) with { IsUndo = true }),
                    Samples.Entry(ReplyOf(cases[n], 2, ResponseState.Proposed, 10 + n)));
        using var again = Open();
        var any = new ResponseQuery(null, null, null, 100);
        Assert.Equal(12, again.Responses(any).Count);
        Assert.Equal(3, again.Responses(any with { State = ResponseState.Quarantined }).Count);
        Assert.Equal(9, again.Responses(any with { Waiting = true }).Count);
        Assert.Equal([2, 1], again.Responses(any with { Case = cases[2].Case }).Select(r => r.Response.Number));
        Assert.Equal(2, again.Responses(any with { Subject = cases[4].Subject }).Count);
        Assert.Equal(4, again.Responses(any with { Regions = ["R-1"] }).Count);
        var first = again.Responses(any with { Limit = 5 });
        var last = first[^1].Response;
        var rest = again.Responses(any with { After = (last.ProposedAt.Seconds, last.Case.Id, last.Number) });
        Assert.Equal(again.Responses(any).Select(r => r.Response.IdempotencyKey),
            first.Concat(rest).Select(r => r.Response.IdempotencyKey));
        // The list of a case has what is recorded last.
        Assert.Equal([ResponseState.Done], again.Responses(any with { Case = cases[5].Case })
            .Where(r => r.Response.Number == 1).Select(r => r.Response.State));
    }
}
