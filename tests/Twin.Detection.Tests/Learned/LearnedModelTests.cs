using Twin.Detection.Learned;
using Twin.Hardware;

namespace Twin.Detection.Tests.Learned;

/// <summary>Models as they are stored and scored, in every edition.</summary>
public sealed class LearnedModelTests
{
    private static readonly Training Made = new("by hand", 20_000, 92, 40, 1_000, 7);

    /// <summary>Feature 0 at most −1: leaf 0; else feature 8 at most 2: leaf 1; else leaf 2.</summary>
    public static TreeEnsemble.Tree Tree(double weight = 2) =>
        new(weight, [0, 8], [-1, 2], [~0, ~1], [1, ~2], [5, 0.5, 3]);

    public static LearnedModel Trees() => new(new TreeEnsemble(0.25, [Tree(), new(1, [], [], [], [], [0.5])], 9), null,
        [.. Enumerable.Repeat(0f, 9)], [.. Enumerable.Repeat(1f, 9)], (1, 9), Made, [("auc", 0.9)]);

    private static LearnedModel Plane() => new(null, new PrincipalComponents(new float[9],
        [[1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0, 0]]), [.. Enumerable.Repeat(1f, 9)],
        [.. Enumerable.Repeat(2f, 9)], (0, 4), Made, []);

    private static double[] Row(double first, double last) => [first, 0, 0, 0, 0, 0, 0, 0, last];

    [Fact]
    public void Trees_add_what_their_leaves_say()
    {
        var model = Trees();
        Assert.Equal(0.25 + 2 * 5 + 0.5, model.Raw(Row(-1, 9)));
        Assert.Equal(0.25 + 2 * 0.5 + 0.5, model.Raw(Row(0, 2)));
        Assert.Equal(0.25 + 2 * 3 + 0.5, model.Raw(Row(0, 2.1)));
        Assert.Equal((10.75 - 1) / 8, model.Score(Row(-5, 0)));
        Assert.Equal(0.09375, model.Score(Row(0, 0)));
    }

    [Fact]
    public void Components_tell_how_far_outside_of_their_plane_a_row_lies()
    {
        // Scaled by centre 1 and spread 2: (2, 0, ..., 1.5); the plane is that of the first two.
        Assert.Equal(Math.Sqrt(6 * 0.25 + 1.5 * 1.5), Plane().Raw([5, 1, 0, 0, 0, 0, 0, 0, 4]), 12);
        Assert.Equal(0, Plane().Raw([9, -7, 1, 1, 1, 1, 1, 1, 1]));
    }

    [Fact]
    public void A_model_comes_back_as_it_was_and_is_named_by_its_bytes()
    {
        foreach (var model in (LearnedModel[])[Trees(), Plane()])
        {
            var again = LearnedModel.Read(model.ToBytes());
            Assert.Equal(model.ToBytes(), again.ToBytes());
            Assert.Equal((model.Name, model.Kind, model.Training), (again.Name, again.Kind, again.Training));
            Assert.Equal(model.Raw(Row(-3, 4)), again.Raw(Row(-3, 4)));
        }
    }

    public static TheoryData<int[], int[]> Loops => new()
    {
        { [0, ~1], [1, ~2] }, { [~0, 0], [1, ~2] }, { [~0, ~1], [2, ~2] }, { [~0, ~1], [1, ~3] },
    };

    [Theory]
    [MemberData(nameof(Loops))]
    public void A_tree_that_leads_back_or_nowhere_is_none(int[] left, int[] right) =>
        Assert.Throws<InvalidDataException>(() => new TreeEnsemble(0,
            [new(1, [0, 1], [0, 0], left, right, [1, 2, 3])], 9));

    [Fact]
    public void What_is_damaged_is_refused_or_is_another_model_that_ends()
    {
        const ulong seed = 20_261_123;
        var random = new SplitMix64(seed);
        var sound = Trees().ToBytes();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = sound.ToArray();
            for (var n = random.Next(3); n >= 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                var model = LearnedModel.Read(random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
                Assert.True(model.Score(Row(0, 0)) is >= 0 and <= 3, $"seed {seed}, {i}");
            }
            catch (InvalidDataException)
            {
                // It says that it is damaged.
            }
        }
    }

    [Fact]
    public void What_a_model_says_lifts_a_score_and_never_lowers_it()
    {
        Assert.Equal(0.7, Fusion.WithLearned(0.7, 0));
        Assert.Equal(0.7 * 1.25 + 0.25, Fusion.WithLearned(0.7, 1), 12);
        Assert.Equal(Fusion.WithLearned(0.7, 3), Fusion.WithLearned(0.7, 1_000));
        Assert.Equal(0.7, Fusion.WithLearned(0.7, -1));
    }
}
