import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'reference/', 'node_modules/', 'bench/.work/', '**/*.js', '**/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/only-throw-error': 'off', // signal.reason may be anything
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-unused-expressions': ['error', { allowShortCircuit: true, allowTernary: true }],
      // The whole of zod takes four times as long to load.
      '@typescript-eslint/no-restricted-imports': ['error', { name: 'zod', message: 'Use zod/mini.' }],
      '@typescript-eslint/require-await': 'off', // a store or a mock may answer at once
    },
  },
);
