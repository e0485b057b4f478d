namespace Twin.Hardware.Tests;

/// <summary>
/// Holds an encoding to the bytes that stored journals contain; a failure shows the new bytes in full.
/// </summary>
internal static class Golden
{
    public static void Is(string hex, ReadOnlySpan<byte> bytes)
    {
        var actual = Convert.ToHexStringLower(bytes);
        Assert.True(hex == actual, $"The encoding has changed.\nExpected {hex}\nActual   {actual}");
    }
}
