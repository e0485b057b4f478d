using Twin.Grains;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Attacks;
using Twin.Silo.Attacks;

namespace Twin.Silo.Tests.Attacks;

/// <summary>Attacks with responses that are held up in the emulation.</summary>
public class ClosedLoopTests
{
    private static (ResponseRung, string) ByOrder(CaseFacts f) => f.Wanted is { } wanted
        ? (wanted, f.Order.Length > 0 ? "" : "no order")
        : f.Findings.Any(x => x.IsProof && x.Severity >= Severity.High) && f.Subject.Kind == TwinKind.Meter
            ? (ResponseRung.BlockWrites, "") : (ResponseRung.Log, "");

    private static Task<AttackRunReport> Run(string id) => AttackRun.Of(Catalogue.Find(id)!, new AttackFleet(24, 1),
        new PlainPolicy(new TwinFactory(), ByOrder), CancellationToken.None);

    [Theory]
    [InlineData("T10")]
    [InlineData("T11")]
    [InlineData("T35")]
    [InlineData("T36")]
    public async Task What(string id)
    {
        var run = await Run(id);
        foreach (var r in run.Answers.Responses)
            Console.WriteLine($"{r.At} {r.Response.SubjectName} {r.Response.Rung} {r.Response.State} by '{r.Response.RequestedBy.Person}' {r.Response.Reason}");
        foreach (var f in run.Findings) Console.WriteLine($"{f.DetectedAt} {f.Severity} {f.SubjectName} {f.Kind} {f.Sentence}");
        Assert.Equal((AttackResult.Passed, ""), (run.Result.Status, run.Result.Reason));
    }
}
