using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Engine;
using Twin.Silo.Orleans;
using Twin.Silo.Storage.Postgres;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Orleans;

/// <summary>What two engines that got the same inputs must have alike.</summary>
internal sealed record Likeness(string Hash, List<string> Findings, long Position, long Readings)
{
    public static async Task<Likeness> Of(EmbeddedFleet fleet) =>
        Read(await fleet.Hash(), fleet.Journal);

    /// <summary>Of what PostgreSQL has: seen anew, not by what a silo knows of it.</summary>
    public static async Task<Likeness> Of(TwinCluster cluster, string database)
    {
        var hash = await cluster.Hash();
        using var journal = new PostgresJournal(database);
        return Read(hash, journal);
    }

    private static Likeness Read(string hash, IJournal journal)
    {
        var findings = new List<string>();
        journal.VisitFindings(body => findings.Add($"{Finding.Read(body).Id} {Convert.ToHexString(body)}"));
        return new Likeness(hash, findings, journal.Position, journal.Size().Readings);
    }

    /// <summary>The same facts, whatever the journal's positions.</summary>
    public void RequireSameFacts(Likeness other)
    {
        Assert.Equal(Findings, other.Findings);
        Assert.Equal(Readings, other.Readings);
        Assert.Equal(Hash, other.Hash);
    }

    /// <summary>
    /// The same facts from as many inputs: nothing was lost and nothing journalled twice.
    /// </summary>
    public void RequireSame(Likeness other)
    {
        RequireSameFacts(other);
        Assert.Equal(Position, other.Position);
    }

    /// <summary>
    /// What verification is for a cluster: twins and findings rebuilt from nothing but its journal, in memory of one
    /// process, are what the cluster has; and no position is missing.
    /// </summary>
    public static void Verify(string database, ITwinFactory factory, string hash)
    {
        using var journal = new PostgresJournal(database);
        using var host = new TwinHost(2, factory, keepScores: false);
        var consequences = new Consequences();
        journal.Read(0, (_, input) => host.Rebuild(input, consequences));
        host.EndRebuild(consequences);
        Assert.Equal(hash, StateHasher.Compute(host, journal));
        var stored = new List<string>();
        journal.VisitFindings(body => stored.Add(Convert.ToHexString(body)));
        Assert.Equal(stored.Order(StringComparer.Ordinal),
            consequences.Findings.Select(Convert.ToHexString).Order(StringComparer.Ordinal));
    }
}
