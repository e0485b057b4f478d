using System.Text.Json;
using Twin.Hardware;
using Twin.Silo.Tests.Answers;
using static Twin.Silo.Tests.Answers.AnsweredDirectory;

namespace Twin.Silo.Tests.Commands;

/// <summary>Suppressions, planned work and the freeze by the command line.</summary>
public sealed class CoverCommandTests : IAsyncLifetime
{
    private AnsweredDirectory _directory = null!;

    public async Task InitializeAsync() => _directory = await Copy();

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private static string At(int minutes) => new UnixTime(End + 60 * minutes).ToString();

    private string[] With(string by, int minutes, params string[] args) =>
        [.. args, "--by", by, "--at", At(minutes), "--data", _directory.Path];

    /// <summary>MT-2 is distrusted once more, by another key: what becomes of it.</summary>
    private async Task<string> VerdictOnAnother(int meter, int minutes, KeySlot slot = KeySlot.KeyAgreement)
    {
        await using var fleet = AnswerScene.Open(_directory.Path);
        await AnswerScene.Do(fleet, new KeyEvent(AnswerScene.Meter(meter).Twin, new UnixTime(End + 60 * minutes),
            slot, KeyEventKind.CertificateUntrusted, 1, [], default, "nobody"));
        for (var i = 1; i <= 3; i++) await AnswerScene.Sweep(fleet, End + 60 * (minutes + i));
        return (await AnswerScene.View(fleet, meter)).Case.Verdict.ToString();
    }

    [Fact]
    public async Task A_preview_changes_nothing_and_counts_what_would_have_been_hidden()
    {
        var preview = await InProcess.Json(With("Ada", 1, "suppress", "S-1", "--kind", "untrusted_certificate",
            "--meter", "MT-2", "--days", "1", "--preview"));
        Assert.Equal((1, 1, true), (preview.GetProperty("findings").GetInt32(),
            preview.GetProperty("subjects").GetInt32(), preview.GetProperty("complete").GetBoolean()));
        Assert.Equal(1, preview.GetProperty("kinds").GetProperty("untrusted_certificate").GetInt32());
        var place = await InProcess.Well(With("Ada", 1, "suppress", "S-1", "--kind", "untrusted_certificate",
            "--place", "feeder:F-1", "--days", "1", "--preview"));
        Assert.StartsWith("From 2026-01-11T09:06:00Z to 2026-01-12T09:06:00Z it would have covered 2 findings on "
            + "2 subjects.\n  untrusted_certificate: 2\n", place);
        Assert.Contains("covered 0 findings", await InProcess.Well(With("Ada", 1, "suppress", "S-1", "--place",
            "feeder:F-9", "--preview")));
        Assert.Equal("Open", await VerdictOnAnother(2, 10));
    }

    [Fact]
    public async Task A_suppression_covers_until_it_is_ended()
    {
        Assert.Contains("suppression S-1 from ", await InProcess.Well(With("Ada", 1, "suppress", "S-1", "--meter",
            "MT-2", "--days", "2", "--why", "the laboratory has it")));
        Assert.Equal("Suppressed", await VerdictOnAnother(2, 10));
        await InProcess.Well(With("Ada", 20, "suppress", "S-1", "--meter", "MT-2", "--end"));
        Assert.Equal("Open", await VerdictOnAnother(2, 30, KeySlot.MetrologySeal));
    }

    [Theory]
    [InlineData("names a subject or a place", "--why", "x")]
    [InlineData("says why", "--meter", "MT-1")]
    [InlineData("--days is 1 to 90", "--meter", "MT-1", "--days", "91", "--why", "x")]
    [InlineData("is no kind of finding", "--meter", "MT-1", "--kind", "bad_luck", "--why", "x")]
    [InlineData("is no time", "--meter", "MT-1", "--to", "Friday", "--why", "x")]
    public async Task A_suppression_that_cannot_hold_is_refused(string message, params string[] args) =>
        Assert.Contains(message, await InProcess.Wrong(With("Ada", 1, ["suppress", "S-1", .. args])));

    [Fact]
    public async Task Planned_work_takes_what_it_expects_and_nothing_else()
    {
        Assert.Contains("planned work W-1 of Ops", await InProcess.Well(With("Ada", 1, "work", "W-1", "--meter", "MT-2",
            "--expect", "untrusted_certificate", "--owner", "Ops", "--days", "1")));
        Assert.Equal("Planned", await VerdictOnAnother(2, 10));
        Assert.Equal("Open", await VerdictOnAnother(1, 20));
        Assert.Contains("names 1 to 16 kinds", await InProcess.Wrong(With("Ada", 1, "work", "W-2", "--meter", "MT-2",
            "--owner", "Ops")));
    }

    [Fact]
    public async Task One_person_freezes_and_two_thaw()
    {
        Assert.Contains("freeze by Ada: we look first", await InProcess.Well(With("Ada", 1, "freeze", "--why",
            "we look first")));
        Assert.Equal("proposed", await RungOfNew(3, 10));
        await InProcess.Well(With("Ada", 20, "thaw"));
        var (exit, _, errors) = await InProcess.Run(With("ADA", 21, "thaw"));
        Assert.Equal(2, exit);
        Assert.Contains("another person", errors);
        Assert.Equal("proposed", await StateOf(3));
        await InProcess.Well(With("Ben", 22, "thaw"));
        await using (var fleet = AnswerScene.Open(_directory.Path))
            for (var i = 23; i <= 60; i++) await AnswerScene.Sweep(fleet, End + 60 * i);
        Assert.Equal("executing", await StateOf(3));
    }

    /// <summary>A new meter is distrusted; state of blocking its writes.</summary>
    private async Task<string> RungOfNew(int meter, int minutes)
    {
        await using (var fleet = AnswerScene.Open(_directory.Path))
        {
            await AnswerScene.Do(fleet, new MeterSeen(AnswerScene.Meter(meter), "MT-" + meter, "UTC", 3));
            await AnswerScene.Distrust(fleet, meter, End + 60 * minutes);
            for (var i = 1; i <= 5; i++) await AnswerScene.Sweep(fleet, End + 60 * (minutes + i));
        }
        return await StateOf(meter);
    }

    private async Task<string> StateOf(int meter)
    {
        var all = await InProcess.Json("response", "list", "--all", "--data", _directory.Path);
        return all.EnumerateArray().Single(r => r.GetProperty("subject").GetString() == "MT-" + meter
            && r.GetProperty("rung").GetString() == "block_writes").GetProperty("state").GetString()!;
    }
}
