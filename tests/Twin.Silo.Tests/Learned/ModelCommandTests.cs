using Twin.Detection.Evaluation;
using Twin.Detection.Learned;
using Twin.Hardware;
using Twin.Silo.Learned;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Learned;

/// <summary>A model in a file: used by any edition, in shadow first; what it says is in the journal.</summary>
public sealed class ModelCommandTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Gives every row the same: above every bar.</summary>
    private static LearnedModel Loud => new(new TreeEnsemble(9, [], 9), null, new float[9],
        [.. Enumerable.Repeat(1f, 9)], (0, 3), new Training("by hand", 20_000, 92, 40, 1_000, 7), [("auc", 0.5)]);

    private string Write()
    {
        var path = _directory.Sub("loud.model");
        using var key = LedgerKey.OpenOrMake(_directory.Sub("signer.key"));
        ModelFile.Write(path, Loud, key);
        return path;
    }

    [Fact]
    public async Task A_model_runs_in_shadow_is_promoted_and_its_words_are_replayed_without_it()
    {
        var (data, model) = (_directory.Sub("data"), Write());
        await using (var fleet = Feed.Open(data))
        {
            await fleet.Send(Feed.Days("s", 3, 0, Protocol.Days + Protocol.HorizonDays + 2));
            Assert.True(fleet.Status.ClosedThroughDay >= Feed.FirstDay + Protocol.Days - 1);
        }
        string[] With(params string[] args) => [.. args, "--data", data];
        string[] At(int day, params string[] args) => [.. args, "--by", "Ada", "--at", $"2025-03-{day:00}T00:00:00Z"];
        Assert.Contains("no models", await InProcess.Well(With("model", "list")));
        Assert.Contains("No model is in use", await InProcess.Wrong(With("model", "ask")));
        Assert.Contains("shadow first",
            await InProcess.Wrong(With(At(1, "model", "activate", model, "--stage", "promoted"))));
        await InProcess.Well(With(At(1, "model", "activate", model, "--why", "a first try")));
        Assert.Contains("7 days",
            await InProcess.Wrong(With(At(5, "model", "activate", model, "--stage", "promoted"))));
        Assert.Equal(3, (await InProcess.Json(With("model", "ask"))).GetProperty("said").GetInt32());
        Assert.Equal(0, (await InProcess.Json(With("model", "ask"))).GetProperty("said").GetInt32());
        await InProcess.Well(With(At(8, "model", "activate", model, "--stage", "promoted")));
        var only = Assert.Single((await InProcess.Json(With("model", "list"))).EnumerateArray());
        Assert.Equal("promoted", only.GetProperty("stage").GetString());
        Assert.Contains("a first try", await InProcess.Well(With("ledger", "list")));
        // A replay needs no model.
        Directory.Delete(Path.Combine(data, "models"), recursive: true);
        Feed.VerifySound(data);
    }

    [Fact]
    public void A_model_that_was_changed_is_refused_wherever_it_was_changed()
    {
        var sound = File.ReadAllBytes(Write());
        Assert.Equal(Loud.Name, ModelFile.Read(sound).Model.Name);
        for (var i = 0; i < sound.Length; i++)
        {
            var bytes = sound.ToArray();
            bytes[i] ^= 1;
            Assert.ThrowsAny<Exception>(() => ModelFile.Read(bytes));
        }
        Assert.ThrowsAny<InvalidDataException>(() => ModelFile.Read([.. sound, 0]));
    }

    [Fact]
    public async Task Wrong_files_are_named_with_the_remedy()
    {
        var file = _directory.Sub("text.model");
        await File.WriteAllTextAsync(file, "not a model");
        Assert.Contains("metertwin train", await InProcess.Wrong("model", "show", file));
        Assert.Contains("metertwin train", await InProcess.Wrong("model", "show", _directory.Sub("nowhere.model")));
        if (Edition.Trainer is null)
            Assert.Contains("Edition=full", await InProcess.Wrong("train", file, "--data", _directory.Sub("none")));
    }
}
