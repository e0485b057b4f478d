using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Commands;

/// <summary>The further key of the ledger, in editions that have it and in those that have not.</summary>
public sealed class LedgerKeyCommandTests
{
    [Fact]
    public async Task An_edition_without_the_algorithm_says_which_has_it_and_goes_on_without()
    {
        if (Edition.MlDsaKey is not null) return;
        using var directory = await AnsweredDirectory.Copy();
        Assert.Contains("Edition standalone has no ML-DSA; it needs edition full: dotnet build -c Release "
            + "-p:Edition=full.",
            await InProcess.Wrong("ledger", "key", "--post-quantum", "--data", directory.Path));
        var other = Path.Combine(directory.Path, "ledger.key.mldsa");
        Assert.False(File.Exists(other));
        File.WriteAllText(other, "made elsewhere");
        var (exit, _, errors) = await InProcess.Run("ledger", "key", "--data", directory.Path);
        Assert.Equal(0, exit);
        Assert.Contains("ledger.key.mldsa is there, and edition standalone cannot sign with it: seals are ECDSA alone.",
            errors);
    }
}
