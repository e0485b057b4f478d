using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Crash;
using Twin.Silo.Tests.Upgrade;

namespace Twin.Silo.Tests.Commands;

/// <summary>The verdict verb as a user meets it.</summary>
public sealed class VerdictCommandTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static (int Exit, string Errors) Say(string data, string finding, string outcome)
    {
        var (exit, _, errors) = Metertwin.Run([], ["verdict", finding, outcome, "--data", data, "--by", "crew 7"]);
        return (exit, errors);
    }

    private static int Verdicts(string data)
    {
        using var journal = new SqliteJournal(Path.Combine(data, "journal.db"));
        var n = 0;
        journal.Read(0, (_, input) => n += Envelope.Read(input).Kind == InputKind.Verdict ? 1 : 0);
        return n;
    }

    [Fact]
    public void A_verdict_said_twice_counts_once_and_another_one_names_the_first()
    {
        var data = OldDirectories.Take(_directory.Sub("all"), 2, "whole");
        string finding;
        using (var journal = new SqliteJournal(Path.Combine(data, "journal.db")))
        {
            var ids = new List<string>();
            journal.VisitFindings(body => ids.Add(Finding.Read(body).Id));
            finding = ids[0];
        }
        Assert.Equal(0, Say(data, finding, "true").Exit);
        Assert.Equal(1, Verdicts(data));
        var (exit, errors) = Say(data, finding, "true");
        Assert.Equal((0, 1), (exit, Verdicts(data)));
        Assert.Contains("does not count twice", errors, StringComparison.Ordinal);
        (exit, errors) = Say(data, finding, "false");
        Assert.Equal((0, 2), (exit, Verdicts(data)));
        Assert.Contains("another verdict, 'true' by crew 7", errors, StringComparison.Ordinal);
        (exit, errors) = Say(data, "0000000000000000", "true");
        Assert.Equal(2, exit);
        Assert.Contains("There is no finding 0000000000000000", errors, StringComparison.Ordinal);
        (exit, errors) = Say(data, finding, "maybe");
        Assert.Equal(2, exit);
        Assert.Contains("Say true, benign or false.", errors, StringComparison.Ordinal);
    }
}
