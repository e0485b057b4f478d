using System.Security.Cryptography;
using System.Text.Json;
using Twin.Silo.Soc;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Commands;

/// <summary>The ledger and its readers by the command line.</summary>
public sealed class LedgerCommandTests : IAsyncLifetime
{
    private AnsweredDirectory _directory = null!;

    public async Task InitializeAsync() => _directory = await AnsweredDirectory.Copy();

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private string[] With(params string[] args) => [.. args, "--data", _directory.Path];

    private async Task<JsonElement[]> List(params string[] args) =>
        [.. (await InProcess.Json(With(["ledger", "list", .. args]))).EnumerateArray()];

    private static long[] Numbers(IEnumerable<JsonElement> entries) =>
        [.. entries.Select(e => e.GetProperty("number").GetInt64())];

    [Fact]
    public async Task Entries_are_listed_in_order_from_a_number_and_by_case()
    {
        var all = await List("--limit", "10000");
        Assert.Equal(Enumerable.Range(1, all.Length).Select(n => (long)n), Numbers(all));
        var part = await List("--after", "2", "--limit", "3");
        Assert.Equal([3L, 4, 5], Numbers(part));
        var of = await List("--case", AnsweredDirectory.Case(1));
        Assert.All(of, e => Assert.Equal(AnsweredDirectory.Case(1)[..16], e.GetProperty("case").GetString()));
        Assert.Equal(Numbers(all.Where(e => e.GetProperty("case").GetString() == AnsweredDirectory.Case(1)[..16])),
            Numbers(of));
        Assert.Equal("no entries\n", await InProcess.Well(With("ledger", "list", "--after", "100000")));
        Assert.Contains("goes from 1 to 10000", await InProcess.Wrong(With("ledger", "list", "--limit", "0")));
        Assert.Contains("is no id of a case", await InProcess.Wrong(With("ledger", "list", "--case", "x")));
    }

    [Fact]
    public async Task An_export_is_checked_with_the_key_and_with_no_other()
    {
        var (file, key, other) = (_directory.Sub("ledger.ndjson"), _directory.Sub("key.pem"), _directory.Sub("no.pem"));
        await File.WriteAllTextAsync(key, await InProcess.Well(With("ledger", "key")));
        using (var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            await File.WriteAllTextAsync(other, stranger.ExportSubjectPublicKeyInfoPem());
        var entries = (await List("--limit", "10000")).Length;
        var said = await InProcess.Well(With("ledger", "export", "--out", file));
        Assert.StartsWith($"✓ {entries} entries in {file}, sealed by key ", said);
        await InProcess.Well("verify", "--ledger", file, "--key", key);
        Assert.Equal(1, (await InProcess.Run("verify", "--ledger", file, "--key", other)).Exit);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.Equal(1, (await InProcess.Run("verify", "--ledger", file, "--key", key)).Exit);
    }

    [Fact]
    public async Task The_key_that_is_named_seals_in_place_of_the_directorys()
    {
        var (file, own) = (_directory.Sub("ledger.ndjson"), _directory.Sub("own.key"));
        var (first, second) = (_directory.Sub("first.pem"), _directory.Sub("second.pem"));
        await File.WriteAllTextAsync(first, await InProcess.Well(With("ledger", "key")));
        await File.WriteAllTextAsync(second, await InProcess.Well(With("ledger", "key", "--ledger-key", own)));
        await InProcess.Well(With("case", "ack", AnsweredDirectory.Case(1), "--ledger-key", own));
        await InProcess.Well(With("ledger", "export", "--out", file, "--ledger-key", own));
        Assert.Equal(1, (await InProcess.Run("verify", "--ledger", file, "--key", first)).Exit);
        await InProcess.Well("verify", "--ledger", file, "--key", first, "--key", second);
    }

    [Fact]
    public async Task Sinks_tell_how_far_they_are_and_are_set_back_by_hand_only()
    {
        var (sinks, output) = (_directory.Sub("sinks.json"), _directory.Sub("soc.ndjson"));
        await File.WriteAllTextAsync(sinks, JsonSerializer.Serialize(new[]
        {
            new { name = "file", kind = "file", path = output },
        }));
        string[] Of(params string[] args) => With(["sinks", .. args, "--sinks", sinks]);
        long entries;
        await using (var fleet = AnswerScene.Open(_directory.Path))
        {
            entries = fleet.Ledger.End.Number;
            var dispatcher = new SocDispatcher("file", SinkSettings.Make(SinkSettings.Read(sinks)[0],
                TimeProvider.System), fleet.Ledger, TimeProvider.System, 1);
            Assert.True(await dispatcher.Step(default));
        }
        Assert.Equal($"file  file ocsf  entry {entries}, 0 behind\n", await InProcess.Well(Of("status")));
        Assert.Equal($"✓ file goes on behind entry 9 (was {entries})\n",
            await InProcess.Well(Of("replay", "--from", "10")));
        var row = (await InProcess.Json(Of("status"))).EnumerateArray().Single();
        Assert.Equal((9, entries - 9), (row.GetProperty("cursor").GetInt64(), row.GetProperty("lag").GetInt64()));
        // To where a sink has not come yet it is not set forward: nothing may be left out.
        Assert.StartsWith("✓ file goes on behind entry 9", await InProcess.Well(Of("replay", "--from", "20")));
        Assert.Contains("count from 1", await InProcess.Wrong(Of("replay", "--from", "0")));
        Assert.Contains("There is no sink 'hook'",
            await InProcess.Wrong(Of("replay", "--from", "1", "--sink", "hook")));
        Assert.Contains("No sinks are set", await InProcess.Wrong(With("sinks", "status")));
    }
}
