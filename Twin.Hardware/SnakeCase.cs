using System.Text;

namespace Twin.Hardware;

/// <summary>How files, API, command line and console write a word of the vocabulary: <c>level_shift</c>.</summary>
public static class SnakeCase
{
    public static string Of<T>(T value) where T : struct, Enum => Of(value.ToString());

    /// <param name="name">In Pascal case: <c>LevelShift</c>.</param>
    public static string Of(string name)
    {
        var s = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && s.Length > 0) s.Append('_');
            s.Append(char.ToLowerInvariant(c));
        }
        return s.ToString();
    }
}
